from django.http import HttpRequest
def status_strip(request: HttpRequest) -> dict[str, object]: return {}
