# One image for every part of the several-machines set-up; compose.yaml says which part a container plays.
FROM python:3.13-slim-bookworm AS packages
WORKDIR /app
COPY requirements.txt .
RUN python -m venv .venv \
    && .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin console \
    && install -d -o console -g console /var/lib/console
WORKDIR /app
COPY --from=packages /app/.venv .venv
COPY manage.py ./
COPY console console
COPY templates templates
COPY static static
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 \
    CONSOLE_VAR=/var/lib/console \
    HOST=0.0.0.0 \
    PORT=8000
USER console
# Addresses that never answer: collecting the static files asks neither database nor broker.
RUN SECRET_KEY=unused-while-building DATABASE_URL=postgresql://nowhere/none CELERY_BROKER_URL=amqp://nowhere \
    python manage.py collectstatic --no-input --verbosity 0
EXPOSE 8000
CMD ["python", "-m", "uvicorn", "console.config.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--loop", "uvloop", "--http", "httptools", "--ws", "none", "--no-access-log", "--log-level", "warning", \
     "--no-server-header", "--no-proxy-headers", "--timeout-graceful-shutdown", "8"]
