from hypothesis import HealthCheck, settings

# CI's machine is shared and slow: a test is judged by what it finds, not by how long a draw took
settings.register_profile("tunesmith", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tunesmith")
