import signal

from hypothesis import HealthCheck, settings

# CI's machine is shared and slow: a test is judged by what it finds, not by how long a draw took;
# and what is green once stays so. `--hypothesis-profile=search` looks for more.
slow = [HealthCheck.too_slow]
settings.register_profile("tunesmith", deadline=None, derandomize=True, suppress_health_check=slow)
settings.register_profile("search", deadline=None, max_examples=1000, suppress_health_check=slow)
settings.load_profile("tunesmith")

# A shell that starts something in the background lets it ignore Ctrl-C, and that is inherited; the
# programs that tests start are to hear it.
signal.signal(signal.SIGINT, signal.default_int_handler)
