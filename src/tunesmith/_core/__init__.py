"""What every layer uses: errors, codec, randomness, registry, optional imports, hints. Private."""
