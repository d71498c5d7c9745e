"""Arrays in, arrays out: what samplers and histories compute with, knowing nothing of trials."""
