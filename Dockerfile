# One image for web, worker, beat and migrations; docker-compose.yml says which is which.
FROM python:3.11-slim AS build
RUN python -m venv /venv
COPY requirements/base.txt requirements/monitoring.txt /tmp/
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: \
    --requirement /tmp/base.txt --requirement /tmp/monitoring.txt

FROM python:3.11-slim
# pg_dump and pg_restore for manage.py backup and restore: no older than the server, to the minor version (docs/decisions/0014).
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends ca-certificates postgresql-common \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install -y -qq --no-install-recommends postgresql-client-18 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin rollcall
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY manage.py pyproject.toml LICENSE ./
COPY config config
COPY sync sync
COPY dashboard dashboard
COPY templates templates
COPY static static
# The settings want every address; collecting files uses none of them.
RUN DATABASE_URL=postgresql:///none REDIS_URL=redis://none SECRET_KEY=0123456789abcdef0123456789abcdef ALLOWED_HOSTS=none \
    python manage.py collectstatic --noinput --verbosity 0 \
    && mkdir var/files \
    && chown -R rollcall: var
USER rollcall
EXPOSE 8000
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "config.web_worker.Worker", "--limit-request-line", "65536", "--workers", "2", "--threads", "8", "--graceful-timeout", "30", "--no-control-socket"]
