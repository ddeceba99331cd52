"""Postgres: the engine, the tables, one repository per aggregate, the migrations' runner."""
