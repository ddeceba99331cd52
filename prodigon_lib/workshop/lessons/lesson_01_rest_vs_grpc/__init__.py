"""REST APIs vs gRPC"""
