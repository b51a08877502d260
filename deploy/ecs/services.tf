resource "aws_ecs_cluster" "cluster" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_cloudwatch_log_group" "process" {
  for_each          = local.commands
  name              = "/ecs/${var.name}/${each.key}"
  retention_in_days = 30
}

resource "aws_ecs_task_definition" "process" {
  for_each                 = local.commands
  family                   = "${var.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = try(var.sizes[each.key].cpu, 256)
  memory                   = try(var.sizes[each.key].memory, 512)
  execution_role_arn       = aws_iam_role.execution[each.key].arn
  task_role_arn            = aws_iam_role.task.arn

  dynamic "ephemeral_storage" {
    for_each = each.key == "ingest" ? [var.upload_storage] : []
    content {
      size_in_gib = ephemeral_storage.value
    }
  }

  volume {
    name = "tmp"
  }

  volume {
    name = "data"
  }

  container_definitions = jsonencode([merge(
    {
      name                   = each.key
      image                  = var.images[each.key]
      command                = each.value
      essential              = true
      readonlyRootFilesystem = true
      user                   = "10001:10001"
      stopTimeout            = local.stop_timeout
      linuxParameters        = { initProcessEnabled = false, capabilities = { drop = ["ALL"], add = [] } }
      environment            = each.key == "migrate" ? [] : [{ name = "ADLEDGER_PORT", value = tostring(local.ports[each.key]) }]
      secrets                = [for name, arn in local.secrets[each.key] : { name = name, valueFrom = arn }]
      mountPoints = [
        { sourceVolume = "tmp", containerPath = "/tmp", readOnly = false },
        { sourceVolume = "data", containerPath = "/var/lib/adledger", readOnly = false },
      ]
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.process[each.key].name
          awslogs-region        = var.region
          awslogs-stream-prefix = each.key
        }
      }
    },
    # A migration listens nowhere.
    { for name, value in {
      portMappings = [{ containerPort = try(local.ports[each.key], 0), protocol = "tcp" }]
      # Whether it lives: a dependency that is away must not restart it.
      healthCheck = {
        command     = ["CMD", "python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:${try(local.ports[each.key], 0)}/health/live', timeout=4)"]
        interval    = 10
        timeout     = 5
        retries     = 6
        startPeriod = 60
      }
    } : name => value if each.key != "migrate" },
  )])
}

resource "aws_ecs_service" "service" {
  for_each                           = local.ports
  name                               = each.key
  cluster                            = aws_ecs_cluster.cluster.id
  task_definition                    = aws_ecs_task_definition.process[each.key].arn
  desired_count                      = var.sizes[each.key].least
  launch_type                        = "FARGATE"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  enable_execute_command             = false
  propagate_tags                     = "SERVICE"

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = [aws_security_group.process[each.key].id]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = each.key == "consumer" ? [] : [each.key]
    content {
      target_group_arn = aws_lb_target_group.service[each.key].arn
      container_name   = each.key
      container_port   = each.value
    }
  }

  lifecycle {
    # The autoscaler owns the number, the pipeline the version.
    ignore_changes = [desired_count, task_definition]
  }

  depends_on = [aws_lb_listener.https, aws_lb_listener_rule.reads, aws_iam_role_policy.execution]
}
