from django.apps import AppConfig


class BenchOperationsConfig(AppConfig):
    name = "bench_operations"
    verbose_name = "Benchmark"
