"""What every HTTP service shares: the application's skeleton, middleware, error answers, streams."""
