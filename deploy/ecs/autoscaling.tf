resource "aws_appautoscaling_target" "service" {
  for_each           = local.ports
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.cluster.name}/${aws_ecs_service.service[each.key].name}"
  min_capacity       = var.sizes[each.key].least
  max_capacity       = var.sizes[each.key].most
}

resource "aws_appautoscaling_policy" "cpu" {
  for_each           = toset(["ingest", "query"])
  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = aws_appautoscaling_target.service[each.key].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_in_cooldown  = 300
    scale_out_cooldown = 30

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

# Amazon MQ tells no depth of single queues for RabbitMQ 4, but that of the broker, with what is delivered and not yet
# acknowledged. Nothing else lives on it; dead letters count too, and have an alarm of their own (docs/operations.md).
resource "aws_appautoscaling_policy" "queue" {
  name               = "queue-depth"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = aws_appautoscaling_target.service["consumer"].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.queue_depth_per_consumer
    scale_in_cooldown  = 300
    scale_out_cooldown = 30

    customized_metric_specification {
      metrics {
        id          = "depth"
        return_data = false
        metric_stat {
          stat = "Average"
          metric {
            namespace   = "AWS/AmazonMQ"
            metric_name = "MessageCount"
            dimensions {
              name  = "Broker"
              value = aws_mq_broker.broker.broker_name
            }
          }
        }
      }

      metrics {
        id          = "tasks"
        return_data = false
        metric_stat {
          stat = "Average"
          metric {
            namespace   = "ECS/ContainerInsights"
            metric_name = "RunningTaskCount"
            dimensions {
              name  = "ClusterName"
              value = aws_ecs_cluster.cluster.name
            }
            dimensions {
              name  = "ServiceName"
              value = aws_ecs_service.service["consumer"].name
            }
          }
        }
      }

      metrics {
        id          = "each"
        expression  = "depth / tasks"
        label       = "Batches for each consumer"
        return_data = true
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  for_each            = toset(["ingest", "query"])
  alarm_name          = "${var.name}-${each.key}-unhealthy"
  alarm_description   = "No healthy ${each.key} task."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HealthyHostCount"
  statistic           = "Minimum"
  period              = 60
  evaluation_periods  = 3
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_topic_arns
  dimensions = {
    LoadBalancer = aws_lb.balancer.arn_suffix
    TargetGroup  = aws_lb_target_group.service[each.key].arn_suffix
  }
}

resource "aws_cloudwatch_metric_alarm" "backlog" {
  alarm_name          = "${var.name}-backlog"
  alarm_description   = "Batches wait although all consumers run, or lie among the dead letters."
  namespace           = "AWS/AmazonMQ"
  metric_name         = "MessageCount"
  statistic           = "Minimum"
  period              = 300
  evaluation_periods  = 6
  threshold           = var.queue_depth_per_consumer
  comparison_operator = "GreaterThanThreshold"
  alarm_actions       = var.alarm_topic_arns
  dimensions          = { Broker = aws_mq_broker.broker.broker_name }
}
