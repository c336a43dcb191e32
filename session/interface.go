package session

// ElasticNetworkInterface is the interface that the containers of an awsvpc task share. Berth's own nodes find it in their configuration by
// EC2ID; AttachmentArn is what they report it under.
type ElasticNetworkInterface struct {
	AttachmentArn string `json:"attachmentArn,omitempty"`
	EC2ID         string `json:"ec2Id"` // "eni-..."
	Index         int    `json:"index,omitempty"`
	MacAddress    string `json:"macAddress"`
	// Protocol is how the interface is associated: InterfaceDefault.
	Protocol       string        `json:"interfaceAssociationProtocol,omitempty"`
	IPv4Addresses  []IPv4Address `json:"ipv4Addresses,omitempty"`
	IPv6Addresses  []IPv6Address `json:"ipv6Addresses,omitempty"`
	PrivateDNSName string        `json:"privateDnsName,omitempty"`
	// DomainName is what names are searched in; DomainNameServers are who is asked.
	DomainName               []string `json:"domainName,omitempty"`
	DomainNameServers        []string `json:"domainNameServers,omitempty"`
	SubnetGatewayIpv4Address string   `json:"subnetGatewayIpv4Address,omitempty"` // with the subnet's prefix length: "10.0.0.1/24"
	SubnetGatewayIpv6Address string   `json:"subnetGatewayIpv6Address,omitempty"`
}

// InterfaceDefault is the protocol of an interface that is attached as it is.
const InterfaceDefault = "default"

// IPv4Address is a private address of an interface; one is primary.
type IPv4Address struct {
	Primary        bool   `json:"primary"`
	PrivateAddress string `json:"privateAddress"`
}

// IPv6Address is an IPv6 address of an interface.
type IPv6Address struct {
	Primary bool   `json:"primary,omitempty"`
	Address string `json:"address"`
}

// AttachmentAttached is the one status of an attachment that agents report.
const AttachmentAttached = "ATTACHED"
