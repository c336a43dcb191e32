package elb

import (
	"crypto/sha256"
	"encoding/base32"
)

// HostedZone is the Route 53 zone that DNS names of load balancers of a type and region are in: AWS's, or for a region that AWS does not have a
// name that only looks like one.
func HostedZone(kind, region string) string {
	at := 0
	if kind == TypeNetwork {
		at = 1
	}
	if z, ok := hostedZones[region]; ok && z[at] != "" {
		return z[at]
	}
	sum := sha256.Sum256([]byte(kind + "/" + region))
	return "Z" + base32.StdEncoding.EncodeToString(sum[:])[:13]
}

// hostedZones are those of application, then of network load balancers.
var hostedZones = map[string][2]string{
	"af-south-1":     {"Z268VQBMOI5EKX", "Z203XCE67M25HM"},
	"ap-east-1":      {"Z3DQVH9N71FHZ0", "Z12Y7K3UBGUAD1"},
	"ap-northeast-1": {"Z14GRHDCWA56QT", "Z31USIVHYNEOWT"},
	"ap-northeast-2": {"ZWKZPGTI48KDX", "ZIBE1TIR4HY56"},
	"ap-northeast-3": {"Z5LXEXXYW11ES", "Z1GWIQ4HH19I5X"},
	"ap-south-1":     {"ZP97RAFLXTNZK", "ZVDDRBQ08TROA"},
	"ap-south-2":     {"Z0173938T07WNTVAEPZN", "Z0711778386UTO08407HT"},
	"ap-southeast-1": {"Z1LMS91P8CMLE5", "ZKVM4W9LS7TM"},
	"ap-southeast-2": {"Z1GM3OXH4ZPM65", "ZCT6FZBF4DROD"},
	"ap-southeast-3": {"Z08888821HLRG5A9ZRTER", "Z01971771FYVNCOVWJU1G"},
	"ap-southeast-4": {"Z09517862IB2WZLPXG76F", "Z01156963G8MIIL7X90IV"},
	"ca-central-1":   {"ZQSVJUPU6J1EY", "Z2EPGBW3API2WT"},
	"ca-west-1":      {"Z06473681N0SF6OS049SD", ""},
	"cn-north-1":     {"Z1GDH35T77C1KE", "Z3QFB96KMJ7ED6"},
	"cn-northwest-1": {"ZM7IZAIOVVDZF", "ZQEIKTCZ8352D"},
	"eu-central-1":   {"Z215JYRZR1TBD5", "Z3F0SRJ5LGBH90"},
	"eu-central-2":   {"Z06391101F2ZOEP8P5EB3", ""},
	"eu-north-1":     {"Z23TAZ6LKFMNIO", "Z1UDT6IFJ4EJM"},
	"eu-south-1":     {"Z3ULH7SSC9OV64", "Z23146JA1KNAFP"},
	"eu-south-2":     {"Z0956581394HF5D5LXGAP", ""},
	"eu-west-1":      {"Z32O12XQLNTSW2", "Z2IFOLAFXWLO4F"},
	"eu-west-2":      {"ZHURV8PSTC4K8", "ZD4D7Y8KGAS4G"},
	"eu-west-3":      {"Z3Q77PNBQS71R4", "Z1CMS0P5QUZ6D5"},
	"il-central-1":   {"Z09170902867EHPV2DABU", ""},
	"me-central-1":   {"Z08230872XQRWHG2XF6I", ""},
	"me-south-1":     {"ZS929ML54UICD", "Z3QSRYVP46NYYV"},
	"sa-east-1":      {"Z2P70J7HTTTPLU", "ZTK26PT1VY4CU"},
	"us-east-1":      {"Z35SXDOTRQ7X7K", "Z26RNL4JYFTOTI"},
	"us-east-2":      {"Z3AADJGX6KTTL2", "ZLMOA37VPKANP"},
	"us-gov-east-1":  {"Z166TLBEWOO7G0", "Z1ZSMQQ6Q24QQ8"},
	"us-gov-west-1":  {"Z33AYJ8TM3BH4J", "ZMG1MZ2THAWF1"},
	"us-west-1":      {"Z368ELLRRE2KJ0", "Z24FKFUX50B4VW"},
	"us-west-2":      {"Z1H1FL5HABSF5", "Z18D5FSROUN65G"},
}
