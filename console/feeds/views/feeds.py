from django.http import HttpResponse
def __getattr__(name):
    if name.startswith("__"): raise AttributeError(name)
    return lambda request, **k: HttpResponse("stand-in")
