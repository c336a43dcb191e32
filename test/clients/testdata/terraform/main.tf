terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  skip_metadata_api_check = true
  max_retries             = 2
}

# One of each resource about networks that berth serves, and the data sources that read them. The second version changes what can be changed.
variable "v" {
  default = 1
}
data "aws_availability_zones" "all" { state = "available" }
data "aws_region" "here" {}
data "aws_caller_identity" "me" {}
data "aws_prefix_list" "s3" { name = "com.amazonaws.us-east-1.s3" }
data "aws_vpc" "default" { default = true }
data "aws_vpcs" "all" {}
data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}
data "aws_subnet" "one" { id = data.aws_subnets.default.ids[0] }
data "aws_security_group" "default" {
  name   = "default"
  vpc_id = data.aws_vpc.default.id
}
data "aws_route_table" "main" {
  vpc_id = data.aws_vpc.default.id
  filter {
    name   = "association.main"
    values = ["true"]
  }
}
data "aws_internet_gateway" "default" {
  filter {
    name   = "attachment.vpc-id"
    values = [data.aws_vpc.default.id]
  }
}
resource "aws_vpc" "a" {
  cidr_block                           = "10.20.0.0/16"
  enable_dns_hostnames                 = var.v == 1
  enable_dns_support                   = true
  enable_network_address_usage_metrics = var.v == 2
  assign_generated_ipv6_cidr_block     = true
  tags                                 = { Name = "a${var.v}", Only = "x" }
}
resource "aws_vpc" "plain" {
  cidr_block = "10.30.0.0/16"
  lifecycle { ignore_changes = [tags, tags_all, assign_generated_ipv6_cidr_block] }
}
resource "aws_vpc_ipv4_cidr_block_association" "more" {
  vpc_id     = aws_vpc.a.id
  cidr_block = "10.21.0.0/16"
}
resource "aws_vpc_ipv6_cidr_block_association" "six" {
  vpc_id                           = aws_vpc.plain.id
  assign_generated_ipv6_cidr_block = true
}
resource "aws_subnet" "a" {
  count                                          = 2
  vpc_id                                         = aws_vpc.a.id
  cidr_block                                     = cidrsubnet(aws_vpc.a.cidr_block, 8, count.index)
  ipv6_cidr_block                                = cidrsubnet(aws_vpc.a.ipv6_cidr_block, 8, count.index)
  availability_zone                              = data.aws_availability_zones.all.names[count.index]
  map_public_ip_on_launch                        = var.v == 1
  assign_ipv6_address_on_creation                = var.v == 1
  enable_dns64                                   = var.v == 2
  private_dns_hostname_type_on_launch            = var.v == 1 ? "ip-name" : "resource-name"
  enable_resource_name_dns_a_record_on_launch    = var.v == 2
  enable_resource_name_dns_aaaa_record_on_launch = var.v == 2
  tags                                           = { Name = "sub-${count.index}" }
}
resource "aws_subnet" "b" {
  vpc_id               = aws_vpc.a.id
  cidr_block           = "10.21.1.0/24"
  ipv6_cidr_block      = var.v == 2 ? cidrsubnet(aws_vpc.a.ipv6_cidr_block, 8, 9) : null
  availability_zone_id = data.aws_availability_zones.all.zone_ids[2]
  depends_on           = [aws_vpc_ipv4_cidr_block_association.more]
}
resource "aws_internet_gateway" "a" {
  vpc_id = aws_vpc.a.id
  tags   = { Name = "igw" }
}
resource "aws_internet_gateway" "loose" {}
resource "aws_internet_gateway_attachment" "plain" {
  internet_gateway_id = aws_internet_gateway.loose.id
  vpc_id              = aws_vpc.plain.id
}
resource "aws_eip" "nat" {
  domain     = "vpc"
  tags       = { Name = "nat" }
  depends_on = [aws_internet_gateway.a]
}
resource "aws_eip" "eni" {
  domain                    = "vpc"
  network_interface         = aws_network_interface.a.id
  associate_with_private_ip = "10.20.0.50"
  depends_on                = [aws_internet_gateway.a]
}
resource "aws_eip" "assoc" { domain = "vpc" }
resource "aws_eip_association" "assoc" {
  allocation_id        = aws_eip.assoc.id
  network_interface_id = aws_network_interface.b.id
  depends_on           = [aws_internet_gateway.a]
}
resource "aws_nat_gateway" "a" {
  subnet_id     = aws_subnet.a[0].id
  allocation_id = aws_eip.nat.id
  tags          = { Name = "nat" }
  depends_on    = [aws_internet_gateway.a]
}
resource "aws_nat_gateway" "private" {
  subnet_id         = aws_subnet.a[1].id
  connectivity_type = "private"
}
resource "aws_network_interface" "a" {
  subnet_id         = aws_subnet.a[0].id
  private_ips       = ["10.20.0.50", "10.20.0.51"]
  security_groups   = [aws_security_group.web.id]
  description       = "d${var.v}"
  source_dest_check = var.v == 1
  tags              = { Name = "eni" }
}
resource "aws_network_interface" "b" {
  subnet_id          = aws_subnet.a[1].id
  private_ips_count  = var.v
  ipv6_address_count = 1
}
resource "aws_network_interface_sg_attachment" "b" {
  security_group_id    = aws_security_group.db.id
  network_interface_id = aws_network_interface.b.id
}
resource "aws_route_table" "public" {
  vpc_id = aws_vpc.a.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.a.id
  }
  route {
    ipv6_cidr_block = "::/0"
    gateway_id      = aws_internet_gateway.a.id
  }
  tags = { Name = "public" }
}
resource "aws_route_table" "private" { vpc_id = aws_vpc.a.id }
resource "aws_route" "nat" {
  route_table_id         = aws_route_table.private.id
  destination_cidr_block = var.v == 1 ? "0.0.0.0/0" : "192.0.2.0/24"
  nat_gateway_id         = aws_nat_gateway.a.id
}
resource "aws_route" "eni" {
  route_table_id         = aws_route_table.private.id
  destination_cidr_block = "198.51.100.0/24"
  network_interface_id   = aws_network_interface.a.id
}
resource "aws_route_table_association" "a" {
  count          = 2
  subnet_id      = aws_subnet.a[count.index].id
  route_table_id = var.v == 1 ? aws_route_table.public.id : aws_route_table.private.id
}
resource "aws_main_route_table_association" "a" {
  vpc_id         = aws_vpc.a.id
  route_table_id = aws_route_table.private.id
}
resource "aws_default_route_table" "plain" {
  default_route_table_id = aws_vpc.plain.default_route_table_id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.loose.id
  }
  depends_on = [aws_internet_gateway_attachment.plain]
}
resource "aws_security_group" "web" {
  name        = "web"
  description = "web group"
  vpc_id      = aws_vpc.a.id
  ingress {
    description      = "http"
    from_port        = 80
    to_port          = var.v == 1 ? 80 : 81
    protocol         = "tcp"
    cidr_blocks      = ["0.0.0.0/0", "10.0.0.0/8"]
    ipv6_cidr_blocks = ["::/0"]
  }
  ingress {
    from_port = 0
    to_port   = 0
    protocol  = "-1"
    self      = true
  }
  ingress {
    from_port   = 8
    to_port     = -1
    protocol    = "icmp"
    cidr_blocks = ["0.0.0.0/0"]
  }
  egress {
    from_port       = 0
    to_port         = 0
    protocol        = "-1"
    cidr_blocks     = ["0.0.0.0/0"]
    prefix_list_ids = [data.aws_prefix_list.s3.id]
  }
  tags = { Name = "web" }
}
resource "aws_security_group" "db" {
  name_prefix            = "db-"
  vpc_id                 = aws_vpc.a.id
  revoke_rules_on_delete = true
}
resource "aws_security_group_rule" "db" {
  type                     = "ingress"
  security_group_id        = aws_security_group.db.id
  source_security_group_id = aws_security_group.web.id
  from_port                = 5432
  to_port                  = 5432
  protocol                 = "tcp"
  description              = "d${var.v}"
}
resource "aws_security_group_rule" "dbs" {
  type              = "ingress"
  security_group_id = aws_security_group.db.id
  cidr_blocks       = ["10.1.0.0/16", "10.2.0.0/16"]
  from_port         = 5432
  to_port           = 5432
  protocol          = "tcp"
}
resource "aws_security_group_rule" "self" {
  type              = "ingress"
  security_group_id = aws_security_group.db.id
  self              = true
  from_port         = 0
  to_port           = 65535
  protocol          = "udp"
}
resource "aws_vpc_security_group_ingress_rule" "one" {
  security_group_id = aws_security_group.db.id
  cidr_ipv4         = "10.9.0.0/16"
  from_port         = 22
  to_port           = 20 + 2 * var.v
  ip_protocol       = "tcp"
  description       = "one"
  tags              = { Name = "rule${var.v}" }
}
resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.db.id
  cidr_ipv6         = "::/0"
  ip_protocol       = "-1"
}
resource "aws_vpc_security_group_ingress_rule" "group" {
  security_group_id            = aws_security_group.db.id
  referenced_security_group_id = aws_security_group.web.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}
resource "aws_default_security_group" "a" {
  vpc_id = aws_vpc.a.id
  ingress {
    protocol  = -1
    self      = true
    from_port = 0
    to_port   = 0
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_network_acl" "a" {
  vpc_id     = aws_vpc.a.id
  subnet_ids = var.v == 1 ? [aws_subnet.a[0].id] : [aws_subnet.a[1].id]
  ingress {
    protocol   = "tcp"
    rule_no    = 100
    action     = "allow"
    cidr_block = "10.3.0.0/18"
    from_port  = 80
    to_port    = 80
  }
  egress {
    protocol   = "-1"
    rule_no    = 200
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }
  egress {
    protocol   = "icmp"
    rule_no    = 201
    action     = "deny"
    cidr_block = "10.0.0.0/8"
    from_port  = 0
    to_port    = 0
    icmp_type  = -1
    icmp_code  = -1
  }
  tags = { Name = "acl" }
}
resource "aws_network_acl" "bare" { vpc_id = aws_vpc.a.id }
resource "aws_network_acl_rule" "r" {
  network_acl_id  = aws_network_acl.bare.id
  rule_number     = 150
  egress          = false
  protocol        = "tcp"
  rule_action     = "allow"
  ipv6_cidr_block = "::/0"
  from_port       = 443
  to_port         = 443
}
resource "aws_network_acl_association" "b" {
  network_acl_id = aws_network_acl.bare.id
  subnet_id      = aws_subnet.b.id
}
resource "aws_default_network_acl" "plain" {
  depends_on             = [aws_vpc_ipv6_cidr_block_association.six]
  default_network_acl_id = aws_vpc.plain.default_network_acl_id
  ingress {
    protocol   = -1
    rule_no    = 100
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }
}
resource "aws_vpc_dhcp_options" "d" {
  domain_name         = "corp.example"
  domain_name_servers = ["AmazonProvidedDNS"]
  ntp_servers         = ["169.254.169.123"]
  netbios_node_type   = 2
  tags                = { Name = "dopt" }
}
resource "aws_vpc_dhcp_options_association" "d" {
  vpc_id          = aws_vpc.a.id
  dhcp_options_id = aws_vpc_dhcp_options.d.id
}
resource "aws_ec2_tag" "t" {
  resource_id = aws_vpc.plain.id
  key         = "More"
  value       = "v${var.v}"
}
data "aws_network_acls" "a" {
  vpc_id     = aws_vpc.a.id
  depends_on = [aws_network_acl.a]
}
data "aws_network_interface" "a" { id = aws_network_interface.a.id }
data "aws_network_interfaces" "a" {
  filter {
    name   = "subnet-id"
    values = [aws_subnet.a[0].id]
  }
}
data "aws_eips" "all" { depends_on = [aws_eip.nat] }
data "aws_eip" "nat" { id = aws_eip.nat.id }
data "aws_nat_gateway" "a" { id = aws_nat_gateway.a.id }
data "aws_vpc_dhcp_options" "d" { dhcp_options_id = aws_vpc_dhcp_options.d.id }
data "aws_security_groups" "a" {
  filter {
    name   = "vpc-id"
    values = [aws_vpc.a.id]
  }
}
data "aws_vpc_security_group_rule" "one" { security_group_rule_id = aws_vpc_security_group_ingress_rule.one.security_group_rule_id }
data "aws_vpc_security_group_rules" "db" {
  filter {
    name   = "group-id"
    values = [aws_security_group.db.id]
  }
}
data "aws_route_tables" "a" { vpc_id = aws_vpc.a.id }
data "aws_route" "nat" {
  route_table_id         = aws_route_table.private.id
  destination_cidr_block = aws_route.nat.destination_cidr_block
}
data "aws_instances" "all" { instance_state_names = ["running", "stopped"] }
output "unattached" { value = aws_route.eni.state }

data "aws_ec2_managed_prefix_list" "s3" { name = "com.amazonaws.us-east-1.s3" }
resource "aws_subnet" "six" {
  vpc_id            = aws_vpc.a.id
  cidr_block        = "10.20.9.0/24"
  ipv6_cidr_block   = var.v == 2 ? cidrsubnet(aws_vpc.a.ipv6_cidr_block, 8, 9) : cidrsubnet(aws_vpc.a.ipv6_cidr_block, 8, 10)
  availability_zone = "us-east-1b"
}
resource "aws_network_interface" "six" {
  subnet_id          = aws_subnet.a[0].id
  ipv6_address_count = var.v
}
data "aws_ec2_instance_type_offerings" "here" { location_type = "availability-zone" }
data "aws_availability_zone" "a" { name = "us-east-1a" }
