"""All that `bin/run` needs to start Postgres, Redis and the product's own processes on one machine."""
