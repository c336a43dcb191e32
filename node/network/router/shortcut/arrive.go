package shortcut

import (
	"encoding/binary"

	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// Offsets in a frame of IPv4 without options, with TCP in it.
const (
	ethType   = 12
	version   = 14
	fragment  = 20
	timeLive  = 22
	proto     = 23
	checksum  = 24
	source    = 26
	dest      = 30
	ports     = 34
	tcpLength = 46
	tcpFlags  = 47
	headers   = 54
)

// Fields of the kernel's struct __sk_buff.
const (
	skbLen      = 0
	skbKind     = 4
	skbMark     = 8
	skbTagged   = 20 // vlan_present
	skbFrom     = 36 // ingress_ifindex
	skbLink     = 40
	skbStamp    = 44 // tc_index: nobody else uses it
	skbData     = 76
	skbEnd      = 80
	skbSegments = 176 // gso_size
)

const (
	fin, syn, rst, ack, urg = 1, 2, 4, 16, 32

	isHost  = 0  // of skbKind: the frame is for this machine
	proceed = -1 // the verdict that lets a packet go on as it is; TC_ACT_OK would overwrite the stamp
)

// Where a program keeps what: the packet's frame, its end, flags, the lane that was found.
const (
	ctx   = asm.R6
	frame = asm.R7
	flags = asm.R8
	lane  = asm.R9
)

// The key of a lane on the stack, and that of the one back.
const (
	keyAt   = -24
	backAt  = -48
	laneAt  = -96
	stampAt = -104
)

// network is a number of two bytes as a packet has it, as the processor reads it.
func network(v uint16) int32 {
	return int32(binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v)))
}

// parse has frame be that of an unbroken TCP segment in IPv4, and flags its flags; anything else goes to label other.
func parse(other string) asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(frame, ctx, skbData, asm.Word),
		asm.LoadMem(asm.R2, ctx, skbEnd, asm.Word),
		asm.Mov.Reg(asm.R3, frame),
		asm.Add.Imm(asm.R3, headers),
		asm.JGT.Reg(asm.R3, asm.R2, other),
		asm.LoadMem(asm.R2, frame, ethType, asm.Half),
		asm.JNE.Imm(asm.R2, network(unix.ETH_P_IP), other),
		asm.LoadMem(asm.R2, frame, version, asm.Byte),
		asm.JNE.Imm(asm.R2, 0x45, other), // no options
		asm.LoadMem(asm.R2, frame, fragment, asm.Half),
		asm.And.Imm(asm.R2, network(0x3fff)),
		asm.JNE.Imm(asm.R2, 0, other),
		asm.LoadMem(asm.R2, frame, proto, asm.Byte),
		asm.JNE.Imm(asm.R2, unix.IPPROTO_TCP, other),
		asm.LoadMem(flags, frame, tcpFlags, asm.Byte),
	}
}

// key puts that of the packet's lane on the stack, for a packet that came by the link in field from.
func (t *Table) key(router uint32, from int16) asm.Instructions {
	return asm.Instructions{
		asm.StoreImm(asm.RFP, keyAt, int64(router), asm.Word),
		asm.LoadMem(asm.R2, ctx, from, asm.Word),
		asm.StoreMem(asm.RFP, keyAt+4, asm.R2, asm.Word),
		asm.LoadMem(asm.R2, frame, source, asm.Word),
		asm.StoreMem(asm.RFP, keyAt+8, asm.R2, asm.Word),
		asm.LoadMem(asm.R2, frame, dest, asm.Word),
		asm.StoreMem(asm.RFP, keyAt+12, asm.R2, asm.Word),
		asm.LoadMem(asm.R2, frame, ports, asm.Word),
		asm.StoreMem(asm.RFP, keyAt+16, asm.R2, asm.Word),
	}
}

func (t *Table) call(f asm.BuiltinFunc, at int32) asm.Instructions {
	return asm.Instructions{
		asm.LoadMapPtr(asm.R1, t.lanes.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, at),
		f.Call(),
	}
}

// arrive is what sees a packet that comes in by a link of a router. One of a known lane is sent where it leads; any other goes on with the
// stamp of this moment, if a lane may be made of it where it leaves.
func (t *Table) arrive(router uint32, epoch int) asm.Instructions {
	return join(
		asm.Instructions{
			asm.Mov.Reg(ctx, asm.R1),
			asm.StoreImm(asm.RFP, stampAt, 0, asm.Word),
			asm.LoadMem(asm.R2, ctx, skbKind, asm.Word),
			asm.JNE.Imm(asm.R2, isHost, "on"),
			asm.LoadMem(asm.R2, ctx, skbTagged, asm.Word), // the kernel took the tag out of the frame
			asm.JNE.Imm(asm.R2, 0, "on"),
		},
		parse("on"),
		t.key(router, skbLink),
		t.call(asm.FnMapLookupElem, keyAt),
		asm.Instructions{
			asm.Mov.Reg(lane, asm.R0),
			asm.JSet.Imm(flags, fin|syn|rst|urg, "turns"),
			asm.JSet.Imm(flags, ack, "data"),
			asm.Ja.Label("on"),

			// A segment that begins or ends a connection ends its lanes. The answer to one that begins it may make one.
			asm.JEq.Imm(lane, 0, "none").WithSymbol("turns"),
		},
		t.endLanes(router),
		asm.Instructions{
			asm.And.Imm(flags, fin|syn|rst|urg|ack).WithSymbol("none"),
			asm.JNE.Imm(flags, syn|ack, "on"),
			asm.Ja.Label("stamp"),
		},
		t.follow(epoch),
		stampIt(epoch),
	)
}

// endLanes forgets a lane and the one back.
func (t *Table) endLanes(router uint32) asm.Instructions {
	return join(
		asm.Instructions{
			asm.StoreImm(asm.RFP, backAt, int64(router), asm.Word),
			asm.LoadMem(asm.R2, lane, laneLink, asm.Word),
			asm.StoreMem(asm.RFP, backAt+4, asm.R2, asm.Word),
			asm.LoadMem(asm.R2, asm.RFP, keyAt+12, asm.Word),
			asm.StoreMem(asm.RFP, backAt+8, asm.R2, asm.Word),
			asm.LoadMem(asm.R2, asm.RFP, keyAt+8, asm.Word),
			asm.StoreMem(asm.RFP, backAt+12, asm.R2, asm.Word),
			asm.LoadMem(asm.R2, asm.RFP, keyAt+16, asm.Half),
			asm.StoreMem(asm.RFP, backAt+18, asm.R2, asm.Half),
			asm.LoadMem(asm.R2, asm.RFP, keyAt+18, asm.Half),
			asm.StoreMem(asm.RFP, backAt+16, asm.R2, asm.Half),
		},
		t.call(asm.FnMapDeleteElem, keyAt),
		t.call(asm.FnMapDeleteElem, backAt),
	)
}

// follow sends a packet along its lane, if that is of this epoch and young, and if the packet fits through it. What the map
// has at the lane may be another one by the next moment: it is copied first.
func (t *Table) follow(epoch int) asm.Instructions {
	out := asm.Instructions{asm.JEq.Imm(lane, 0, "stamp").WithSymbol("data")}
	for at := int16(0); at < laneSize; at += 8 {
		out = append(out, asm.LoadMem(asm.R1, lane, at, asm.DWord), asm.StoreMem(asm.RFP, laneAt+at, asm.R1, asm.DWord))
	}
	return append(append(out, seal()...),
		asm.LoadMem(asm.R1, asm.RFP, laneAt+laneSeal, asm.DWord),
		asm.JNE.Reg(asm.R0, asm.R1, "stamp"),
		asm.LoadMapValue(asm.R1, epoch, 0),
		asm.LoadMem(asm.R1, asm.R1, 0, asm.Word),
		asm.LoadMem(asm.R2, asm.RFP, laneAt+laneEpoch, asm.Word),
		asm.JNE.Reg(asm.R1, asm.R2, "stamp"),
		asm.FnKtimeGetCoarseNs.Call(),
		asm.LoadMem(asm.R1, asm.RFP, laneAt+laneBorn, asm.DWord),
		asm.Sub.Reg(asm.R0, asm.R1),
		asm.JGT.Imm(asm.R0, int32(laneAge), "stamp"),
		asm.LoadMem(asm.R5, frame, timeLive, asm.Byte),
		asm.JLE.Imm(asm.R5, 1, "on"),

		// The size of the packet, or of the packets that it will be cut into.
		asm.LoadMem(asm.R1, ctx, skbSegments, asm.Word),
		asm.JNE.Imm(asm.R1, 0, "cut"),
		asm.LoadMem(asm.R1, ctx, skbLen, asm.Word),
		asm.Sub.Imm(asm.R1, version),
		asm.Ja.Label("fits"),
		asm.LoadMem(asm.R2, frame, tcpLength, asm.Byte).WithSymbol("cut"),
		asm.RSh.Imm(asm.R2, 4),
		asm.LSh.Imm(asm.R2, 2),
		asm.Add.Reg(asm.R1, asm.R2),
		asm.Add.Imm(asm.R1, 20),
		asm.LoadMem(asm.R2, asm.RFP, laneAt+laneMTU, asm.Word).WithSymbol("fits"),
		asm.JGT.Reg(asm.R1, asm.R2, "on"), // the router says so

		asm.Sub.Imm(asm.R5, 1),
		asm.StoreMem(frame, timeLive, asm.R5, asm.Byte),
		asm.LoadMem(asm.R1, frame, checksum, asm.Half),
		asm.Add.Imm(asm.R1, network(0x100)),
		asm.Mov.Reg(asm.R2, asm.R1),
		asm.RSh.Imm(asm.R2, 16),
		asm.Add.Reg(asm.R1, asm.R2),
		asm.StoreMem(frame, checksum, asm.R1, asm.Half),
		asm.LoadMem(asm.R1, asm.RFP, laneAt+laneEther, asm.Word),
		asm.StoreMem(frame, 0, asm.R1, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, laneAt+laneEther+4, asm.Word),
		asm.StoreMem(frame, 4, asm.R1, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, laneAt+laneEther+8, asm.Word),
		asm.StoreMem(frame, 8, asm.R1, asm.Word),
		asm.Mov.Imm(asm.R1, 0),
		asm.StoreMem(ctx, skbStamp, asm.R1, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, laneAt+laneLink, asm.Word),
		asm.LoadMem(asm.R3, asm.RFP, laneAt+lanePeer, asm.Word),
		asm.Mov.Imm(asm.R2, 0),
		asm.JNE.Imm(asm.R3, 0, "peer"),
		asm.FnRedirect.Call(),
		asm.Return(),
		asm.FnRedirectPeer.Call().WithSymbol("peer"),
		asm.Return(),
	)
}

// stampIt ends arrive: at "stamp" with one, at "on" without.
func stampIt(epoch int) asm.Instructions {
	return join(
		asm.Instructions{asm.Mov.Imm(asm.R1, 0).WithSymbol("stamp")},
		stamp(epoch, asm.R2),
		asm.Instructions{
			asm.StoreMem(asm.RFP, stampAt, asm.R1, asm.Word),
			asm.LoadMem(asm.R1, asm.RFP, stampAt, asm.Word).WithSymbol("on"),
			asm.StoreMem(ctx, skbStamp, asm.R1, asm.Word),
			asm.Mov.Imm(asm.R0, proceed),
			asm.Return(),
		},
	)
}

// stamp loads into R1 as much of the epoch as a packet can carry; it is never 0. All of it is in register now.
func stamp(epoch int, now asm.Register) asm.Instructions {
	return asm.Instructions{
		asm.LoadMapValue(asm.R1, epoch, 0),
		asm.LoadMem(now, asm.R1, 0, asm.Word),
		asm.Mov.Reg(asm.R1, now),
		asm.And.Imm(asm.R1, 0x7fff),
		asm.Or.Imm(asm.R1, 0x8000),
	}
}

func join(parts ...asm.Instructions) asm.Instructions {
	var out asm.Instructions
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}
