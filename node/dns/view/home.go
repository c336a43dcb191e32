package view

import "github.com/berth-ecs/berth/nodeconf"

// Machine stands for the machine itself where a VPC is told: whoever shares its network is answered as in the VPC that it counts as in.
const Machine = "machine"

// Everything stands for who is in no VPC and asks for any zone there is: names that are in none are not known, and are nobody's to ask for. Of several
// zones with one name the first counts.
const Everything = "everything"

// home is the VPC that the machine counts as in.
type home struct {
	vpc   string
	names *names
}

func (v *View) putHome(key string, h nodeconf.Home) error {
	n, err := namesOf(h.VPC)
	if err != nil {
		delete(v.homes, key)
		return err
	}
	n.support = true // a VPC may be without a resolver, a machine is not
	v.homes[key] = home{h.ID, n}
	return nil
}

// atHome is what is answered at home. A node has one home; of several the first counts.
func (v *View) atHome() *vpc {
	first := ""
	for key := range v.homes {
		if first == "" || key < first {
			first = key
		}
	}
	if first == "" {
		return nil
	}
	h := v.homes[first]
	p := &vpc{names: h.names} // the private addresses that public ones stand for are reached inside of the VPC only
	if in := v.vpcs[h.vpc]; in != nil {
		p.zones = in.zones
	}
	return p
}

// homeless is the machine that counts as in no VPC: it has no addresses with names, and all zones that are public.
var homeless = func() *vpc {
	n, err := namesOf(nodeconf.VPC{Region: "us-east-1", DNSSupport: true})
	if err != nil {
		panic(err) // it is always the same
	}
	return &vpc{names: n}
}()

func (v *View) ofMachine() *vpc {
	if v.machine == nil {
		return homeless
	}
	return v.machine
}
