output "url" {
  description = "Where the load balancer answers; point the certificate's name there."
  value       = "https://${aws_lb.balancer.dns_name}"
}

output "cluster" {
  description = "The cluster, for release.py."
  value       = aws_ecs_cluster.cluster.name
}

output "migration" {
  description = "Where the migration runs, for release.py."
  value = {
    subnets         = var.private_subnet_ids
    security_groups = [aws_security_group.process["migrate"].id]
  }
}
