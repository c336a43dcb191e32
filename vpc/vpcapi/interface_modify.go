package vpcapi

import (
	"context"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/permission"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// ModifyNetworkInterfaceAttribute changes one attribute of an interface.
func (a *API) ModifyNetworkInterfaceAttribute(ctx context.Context, c wire.Call, in *shape.ModifyNetworkInterfaceAttributeRequest) (*aws.Unit, error) {
	if err := oneAttribute(in); err != nil {
		return nil, err
	}
	if err := checkIDs(vpc.KindGroup, in.Groups); err != nil {
		return nil, err
	}
	return nil, a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
		i, err := ownInterface(tx, h, aws.Val(in.NetworkInterfaceId))
		if err != nil {
			return err
		}
		if len(in.Groups) > 0 {
			return inInterfaceWords(tables.SetGroups(tx, i, in.Groups))
		}
		changed := *i
		switch {
		case in.Description != nil:
			changed.Description = aws.Val(in.Description.Value)
		case in.SourceDestCheck != nil:
			changed.SourceCheck = aws.Val(in.SourceDestCheck.Value)
		case in.Attachment != nil:
			if id := aws.Val(in.Attachment.AttachmentId); id == "" || id != i.Attachment {
				return vpc.KindAttachment.NotFound(id)
			}
			changed.DeleteOnEnd = aws.Val(in.Attachment.DeleteOnTermination)
		}
		tables.Interfaces.Put(tx, &changed)
		return nil
	})
}

// oneAttribute refuses requests that change none or several attributes, or one that is not here.
func oneAttribute(in *shape.ModifyNetworkInterfaceAttributeRequest) error {
	n := 0
	for _, given := range []bool{in.Description != nil, in.SourceDestCheck != nil, in.Attachment != nil, len(in.Groups) > 0} {
		if given {
			n++
		}
	}
	switch {
	case n == 0:
		return wire.Errorf("InvalidParameterCombination", "No attributes specified.")
	case n > 1:
		return wire.Errorf("InvalidParameterCombination", "Fields for multiple attribute types specified")
	case in.Description != nil && len(aws.Val(in.Description.Value)) > permission.MaxText:
		return invalid("Value (%s) for parameter description is invalid. It must be at most 255 characters.", *in.Description.Value)
	}
	return nil
}

// ownInterface answers an interface that the client may change, guarded.
func ownInterface(tx store.Tx, h vpc.Home, id string) (*vpc.Interface, error) {
	i, err := tables.Interface(tx, h, id)
	if err == nil && i.Managed() {
		err = serviceOwned()
	}
	return i, err
}

// The attributes of an interface.
const (
	attributeDescription = "description"
	attributeGroups      = "groupSet"
	attributeCheck       = "sourceDestCheck"
	attributeAttachment  = "attachment"
	attributePublic      = "associatePublicIpAddress"
)

// DescribeNetworkInterfaceAttribute answers one attribute of an interface.
func (a *API) DescribeNetworkInterfaceAttribute(ctx context.Context, c wire.Call, in *shape.DescribeNetworkInterfaceAttributeRequest) (*shape.DescribeNetworkInterfaceAttributeResult, error) {
	out := &shape.DescribeNetworkInterfaceAttributeResult{NetworkInterfaceId: in.NetworkInterfaceId}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		i, err := tables.Interface(tx, h, aws.Val(in.NetworkInterfaceId))
		if err != nil {
			return err
		}
		switch attribute := aws.Val(in.Attribute); attribute {
		case attributeDescription:
			out.Description = &shape.AttributeValue{Value: &i.Description}
		case attributeGroups:
			out.Groups = renderGroups(tx, h, i.Groups)
		case attributeCheck:
			out.SourceDestCheck = &shape.AttributeBooleanValue{Value: &i.SourceCheck}
		case attributeAttachment:
			out.Attachment = i.RenderAttachment()
		case attributePublic:
			out.AssociatePublicIpAddress = aws.Ptr(i.Private[0].Public.IsValid() && i.Private[0].Elastic == "")
		case "":
			return wire.Errorf("InvalidParameterCombination", "No attributes specified.")
		default:
			return invalid("Value (%s) for parameter attribute is invalid. Unknown network interface attribute.", attribute)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
