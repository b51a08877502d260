# The stack as Terraform would make it, against a provider that only pretends.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/x/0123456789abcdef" }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/x/0123456789abcdef" }
  }
  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/x/0123456789abcdef/0123456789abcdef" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/x" }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x" }
  }
}

variables {
  region             = "eu-central-1"
  vpc_id             = "vpc-1"
  public_subnet_ids  = ["subnet-1", "subnet-2"]
  private_subnet_ids = ["subnet-3", "subnet-4", "subnet-5"]
  certificate_arn    = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
  broker_password    = "0123456789abcdef"
  images = {
    migrate  = "registry.example.com/adledger-migrate:0.1.0"
    ingest   = "registry.example.com/adledger-ingest:0.1.0"
    consumer = "registry.example.com/adledger-consumer:0.1.0"
    query    = "registry.example.com/adledger-query:0.1.0"
  }
}

run "the_stack" {
  command = apply

  assert {
    condition     = toset(keys(aws_ecs_service.service)) == toset(["ingest", "consumer", "query"])
    error_message = "Three services, scaled apart."
  }

  assert {
    condition     = alltrue([for service in aws_ecs_service.service : service.deployment_circuit_breaker[0].rollback])
    error_message = "A deployment that does not come up goes back by itself."
  }

  assert {
    condition     = alltrue([for target in aws_appautoscaling_target.service : target.min_capacity >= 1])
    error_message = "No service goes to zero."
  }

  assert {
    condition     = sort(one([for condition in aws_lb_listener_rule.reads.condition : condition.http_request_method[0].values if length(condition.http_request_method) > 0])) == tolist(["GET", "HEAD", "OPTIONS"])
    error_message = "Safe methods go to query."
  }

  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.database)) == toset(["migrate", "consumer", "query"])
    error_message = "Ingest has no way to the database."
  }

  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.broker)) == toset(["ingest", "consumer"])
    error_message = "Query has no way to the broker."
  }

  assert {
    condition     = var.database.max_connections >= var.sizes["query"].most * 2 * 20 + var.sizes["consumer"].most * 2 * 18 + 20
    error_message = "The database has a connection for every pool, also while a deployment runs."
  }

  assert {
    condition = alltrue([
      for process, definition in aws_ecs_task_definition.process :
      jsondecode(definition.container_definitions)[0].readonlyRootFilesystem
      && jsondecode(definition.container_definitions)[0].user == "10001:10001"
      && jsondecode(definition.container_definitions)[0].stopTimeout > 45
      && jsondecode(definition.container_definitions)[0].stopTimeout <= 120
    ])
    error_message = "No root, nothing to write, time to finish."
  }
}

run "an_image_that_moves_is_refused" {
  command = plan
  variables {
    images = {
      migrate  = "registry.example.com/adledger-migrate:latest"
      ingest   = "registry.example.com/adledger-ingest:0.1.0"
      consumer = "registry.example.com/adledger-consumer:0.1.0"
      query    = "registry.example.com/adledger-query:0.1.0"
    }
  }
  expect_failures = [var.images]
}

run "a_short_password_is_refused" {
  command = plan
  variables {
    broker_password = "short"
  }
  expect_failures = [var.broker_password]
}
