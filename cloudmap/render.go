package cloudmap

import (
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// optional is a member that is left out when it is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (n *Namespace) properties() *shape.NamespaceProperties {
	soa := &shape.SOA{}
	if n.SOATTL != 0 {
		soa.TTL = &n.SOATTL
	}
	return &shape.NamespaceProperties{
		DnsProperties:  &shape.DnsProperties{HostedZoneId: optional(n.Zone), SOA: soa},
		HttpProperties: &shape.HttpProperties{HttpName: &n.HTTPName},
	}
}

// Render is the namespace as GetNamespace answers it.
func (n *Namespace) Render(services int) *shape.Namespace {
	return &shape.Namespace{Arn: aws.Ptr(n.ARN()), CreateDate: aws.At(n.CreatedAt), CreatorRequestId: optional(n.CreatorRequestID),
		Description: optional(n.Description), Id: &n.ID, Name: &n.Name, Properties: n.properties(), ResourceOwner: &n.Account,
		ServiceCount: aws.Ptr(int32(services)), Type: &n.Type}
}

// Summary is the namespace as ListNamespaces answers it.
func (n *Namespace) Summary(services int) shape.NamespaceSummary {
	return shape.NamespaceSummary{Arn: aws.Ptr(n.ARN()), CreateDate: aws.At(n.CreatedAt), Description: optional(n.Description), Id: &n.ID,
		Name: &n.Name, Properties: n.properties(), ResourceOwner: &n.Account, ServiceCount: aws.Ptr(int32(services)), Type: &n.Type}
}

func (s *Service) dns() *shape.DnsConfig {
	if len(s.Records) == 0 {
		return &shape.DnsConfig{}
	}
	out := &shape.DnsConfig{NamespaceId: &s.Namespace, RoutingPolicy: &s.Routing}
	for _, r := range s.Records {
		out.DnsRecords = append(out.DnsRecords, shape.DnsRecord{Type: aws.Ptr(r.Type), TTL: aws.Ptr(r.TTL)})
	}
	return out
}

func (c *Check) render() *shape.HealthCheckConfig {
	if c == nil {
		return nil
	}
	return &shape.HealthCheckConfig{Type: &c.Type, ResourcePath: optional(c.Path), FailureThreshold: &c.Threshold}
}

func (c *Custom) render() *shape.HealthCheckCustomConfig {
	switch {
	case c == nil:
		return nil
	case c.Threshold == 0:
		return &shape.HealthCheckCustomConfig{}
	}
	return &shape.HealthCheckCustomConfig{FailureThreshold: &c.Threshold}
}

// Render is the service as GetService answers it.
func (s *Service) Render(instances int) *shape.Service {
	return &shape.Service{Arn: aws.Ptr(s.ARN()), CreateDate: aws.At(s.CreatedAt), CreatedByAccount: &s.Account,
		CreatorRequestId: optional(s.CreatorRequestID), Description: optional(s.Description), DnsConfig: s.dns(), HealthCheckConfig: s.Check.render(),
		HealthCheckCustomConfig: s.Custom.render(), Id: &s.ID, InstanceCount: aws.Ptr(int32(instances)), Name: &s.Name,
		NamespaceId: &s.Namespace, ResourceOwner: &s.Account, Type: &s.Type}
}

// Summary is the service as ListServices answers it.
func (s *Service) Summary(instances int) shape.ServiceSummary {
	return shape.ServiceSummary{Arn: aws.Ptr(s.ARN()), CreateDate: aws.At(s.CreatedAt), CreatedByAccount: &s.Account,
		Description: optional(s.Description), DnsConfig: s.dns(), HealthCheckConfig: s.Check.render(), HealthCheckCustomConfig: s.Custom.render(),
		Id: &s.ID, InstanceCount: aws.Ptr(int32(instances)), Name: &s.Name, ResourceOwner: &s.Account, Type: &s.Type}
}

// Render is the instance as GetInstance answers it.
func (i *Instance) Render() *shape.Instance {
	return &shape.Instance{Attributes: i.Attributes, CreatedByAccount: &i.Account, CreatorRequestId: optional(i.CreatorRequestID), Id: &i.ID}
}

// Summary is the instance as ListInstances answers it.
func (i *Instance) Summary() shape.InstanceSummary {
	return shape.InstanceSummary{Attributes: i.Attributes, CreatedByAccount: &i.Account, Id: &i.ID}
}

// Targets are what the operation is about.
func (o *Operation) Targets() map[string]string {
	all := map[string]string{}
	for kind, id := range map[string]string{
		shape.OperationTargetTypeNamespace: o.Namespace, shape.OperationTargetTypeService: o.Service, shape.OperationTargetTypeInstance: o.Instance,
	} {
		if id != "" {
			all[kind] = id
		}
	}
	return all
}

// Render is the operation as GetOperation answers it.
func (o *Operation) Render(s OperationStatus) *shape.Operation {
	return &shape.Operation{CreateDate: aws.At(o.CreatedAt), ErrorCode: optional(s.ErrorCode), ErrorMessage: optional(s.ErrorMessage), Id: &o.ID,
		OwnerAccount: &o.Account, Status: &s.Status, Targets: o.Targets(), Type: &o.Type, UpdateDate: aws.At(s.At)}
}
