package elb

import (
	"slices"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// protocols are those that AWS has for the listeners of a type, served or not.
var protocols = map[string][]string{TypeApplication: {HTTP, HTTPS}, TypeNetwork: {TCP, "UDP", "TCP_UDP", "TLS", "QUIC", "TCP_QUIC"}}

// Change applies what a request says of a listener to it; what it does not say stays. Default is not touched.
func (l *Listener) Change(b *LoadBalancer, in *shape.ModifyListenerInput) error {
	if in.Port != nil {
		l.Port = *in.Port
	}
	if in.Protocol != nil {
		l.Protocol = *in.Protocol
	}
	switch all := protocols[b.Type]; {
	case l.Protocol == "":
		return Invalid("A listener protocol must be specified")
	case l.Port < 1 || l.Port > 65535:
		return Invalid("A listener port must be specified; it must be between 1 and 65535")
	case !slices.Contains(all, l.Protocol):
		return Invalid("Listener protocol '%s' must be one of '%s'", l.Protocol, strings.Join(all, ", "))
	case l.Protocol != HTTP && l.Protocol != HTTPS && l.Protocol != TCP:
		return Errorf(shape.CodeUnsupportedProtocolException, "Listeners with the protocol '%s' are not supported in this region yet", l.Protocol)
	case mutual(in.MutualAuthentication):
		return Unserved("Mutual authentication is")
	case len(in.AlpnPolicy) > 0:
		return Invalid("An ALPN policy can be specified only for TLS listeners")
	}
	if l.Protocol != HTTPS {
		return l.plain(in)
	}
	return l.secure(in)
}

func mutual(m *shape.MutualAuthenticationAttributes) bool {
	return m != nil && aws.Val(m.Mode) != "" && aws.Val(m.Mode) != "off"
}

func (l *Listener) plain(in *shape.ModifyListenerInput) error {
	switch {
	case len(in.Certificates) > 0:
		return Invalid("Certificates cannot be specified for %s listeners", l.Protocol)
	case aws.Val(in.SslPolicy) != "":
		return Invalid("An SSL policy cannot be specified for %s listeners", l.Protocol)
	}
	l.Certificate, l.Policy = "", ""
	return nil
}

func (l *Listener) secure(in *shape.ModifyListenerInput) error {
	if len(in.Certificates) > 1 || len(in.Certificates) == 0 && l.Certificate == "" {
		return Invalid("You must provide a list containing exactly one certificate if the listener protocol is HTTPS.")
	}
	for _, c := range in.Certificates {
		if l.Certificate = aws.Val(c.CertificateArn); l.Certificate == "" {
			return Invalid("A certificate ARN must be specified")
		}
		if c.IsDefault != nil {
			return Invalid("IsDefault cannot be specified for the certificates of a listener")
		}
	}
	if in.SslPolicy != nil {
		l.Policy = *in.SslPolicy
	}
	if l.Policy == "" {
		l.Policy = DefaultSSLPolicy
	}
	if _, ok := SSLPolicyOf(l.Policy); !ok {
		return Errorf(shape.CodeSSLPolicyNotFoundException, "SSL policy '%s' not found", l.Policy)
	}
	return nil
}

// NoCertificate is the error of an ARN that no certificate has.
func NoCertificate(arn string) error {
	return Errorf(shape.CodeCertificateNotFoundException, "Certificate '%s' not found", arn)
}
