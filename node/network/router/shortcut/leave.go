package shortcut

import (
	"github.com/cilium/ebpf/asm"

	"github.com/berth-ecs/berth/node/network/router/rules"
)

// leave is what sees a packet that leaves by a link of a router. One with the mark of the rules, and with a stamp that is of this epoch, has its lane
// written down: nothing has changed since it came in. The epoch is read once: the lane is of the one that the packet came in.
func (t *Table) leave(router uint32, epoch int, peer bool) asm.Instructions {
	isPeer := int64(0)
	if peer {
		isPeer = 1
	}
	const now = lane
	return join(
		asm.Instructions{
			asm.Mov.Reg(ctx, asm.R1),
			asm.LoadMem(asm.R2, ctx, skbMark, asm.Word),
			asm.JNE.Imm32(asm.R2, rules.Plain, "on"),
			asm.LoadMem(asm.R3, ctx, skbStamp, asm.Word),
		},
		stamp(epoch, now),
		asm.Instructions{
			asm.JNE.Reg(asm.R1, asm.R3, "on"),
			asm.Mov.Imm(asm.R1, 0),
			asm.StoreMem(ctx, skbStamp, asm.R1, asm.Word),
		},
		parse("on"),
		t.key(router, skbFrom),
		asm.Instructions{
			asm.JSet.Imm(flags, fin|rst|urg, "on"),
			asm.FnKtimeGetCoarseNs.Call(),
			asm.StoreMem(asm.RFP, laneAt+laneBorn, asm.R0, asm.DWord),
			asm.StoreMem(asm.RFP, laneAt+laneEpoch, now, asm.Word),
			asm.LoadMem(asm.R1, ctx, skbLink, asm.Word),
			asm.StoreMem(asm.RFP, laneAt+laneLink, asm.R1, asm.Word),
			asm.StoreImm(asm.RFP, laneAt+lanePeer, isPeer, asm.Word),
			asm.LoadMem(asm.R1, frame, 0, asm.Word),
			asm.StoreMem(asm.RFP, laneAt+laneEther, asm.R1, asm.Word),
			asm.LoadMem(asm.R1, frame, 4, asm.Word),
			asm.StoreMem(asm.RFP, laneAt+laneEther+4, asm.R1, asm.Word),
			asm.LoadMem(asm.R1, frame, 8, asm.Word),
			asm.StoreMem(asm.RFP, laneAt+laneEther+8, asm.R1, asm.Word),

			asm.StoreImm(asm.RFP, laneAt+laneEther+12, 0, asm.Word),

			// What fits through the link: the check answers it, whatever it says of this packet.
			asm.StoreImm(asm.RFP, laneAt+laneMTU, 0, asm.Word),
			asm.Mov.Reg(asm.R1, ctx),
			asm.Mov.Imm(asm.R2, 0),
			asm.Mov.Reg(asm.R3, asm.RFP),
			asm.Add.Imm(asm.R3, laneAt+laneMTU),
			asm.Mov.Imm(asm.R4, 0),
			asm.Mov.Imm(asm.R5, 0),
			asm.FnCheckMtu.Call(),
		},
		seal(),
		asm.Instructions{
			asm.StoreMem(asm.RFP, laneAt+laneSeal, asm.R0, asm.DWord),
			asm.LoadMapPtr(asm.R1, t.lanes.FD()),
			asm.Mov.Reg(asm.R2, asm.RFP),
			asm.Add.Imm(asm.R2, keyAt),
			asm.Mov.Reg(asm.R3, asm.RFP),
			asm.Add.Imm(asm.R3, laneAt),
			asm.Mov.Imm(asm.R4, 0),
			asm.FnMapUpdateElem.Call(),

			asm.Mov.Imm(asm.R0, proceed).WithSymbol("on"),
			asm.Return(),
		},
	)
}

// factor is odd and of many bits.
const factor = 0x1e3779b97f4a7c15

// seal loads into R0 one number of the key and the lane on the stack. The map gives the place of a lane that was replaced to another one at once,
// whoever reads it still: what was read is a lane of the packet's only if the number is that of both.
func seal() asm.Instructions {
	out := asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.LoadImm(asm.R3, factor, asm.DWord)}
	add := func(at int16, s asm.Size) {
		out = append(out, asm.Mul.Reg(asm.R0, asm.R3), asm.LoadMem(asm.R2, asm.RFP, at, s), asm.Add.Reg(asm.R0, asm.R2))
	}
	add(keyAt, asm.DWord)
	add(keyAt+8, asm.DWord)
	add(keyAt+16, asm.Word)
	for at := int16(0); at < laneSeal; at += 8 {
		add(laneAt+at, asm.DWord)
	}
	return out
}
