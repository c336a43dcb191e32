package shortcut

import (
	"github.com/cilium/ebpf/asm"

	"github.com/berth-ecs/berth/node/network/router/rules"
)

// leave is what sees a packet that leaves by a link of a router. One with the mark of the rules, and with a stamp that is of this epoch, has its lane
// written down: nothing has changed since it came in.
func (t *Table) leave(router uint32, epoch int, peer bool) asm.Instructions {
	isPeer := int64(0)
	if peer {
		isPeer = 1
	}
	return join(
		asm.Instructions{
			asm.Mov.Reg(ctx, asm.R1),
			asm.LoadMem(asm.R2, ctx, skbMark, asm.Word),
			asm.JNE.Imm32(asm.R2, rules.Plain, "on"),
			asm.LoadMem(asm.R3, ctx, skbStamp, asm.Word),
		},
		stamp(epoch),
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
			asm.LoadMapValue(asm.R1, epoch, 0),
			asm.LoadMem(asm.R1, asm.R1, 0, asm.Word),
			asm.StoreMem(asm.RFP, laneAt+laneEpoch, asm.R1, asm.Word),
			asm.LoadMem(asm.R1, ctx, skbLink, asm.Word),
			asm.StoreMem(asm.RFP, laneAt+laneLink, asm.R1, asm.Word),
			asm.StoreImm(asm.RFP, laneAt+lanePeer, isPeer, asm.Word),
			asm.LoadMem(asm.R1, frame, 0, asm.Word),
			asm.StoreMem(asm.RFP, laneAt+laneEther, asm.R1, asm.Word),
			asm.LoadMem(asm.R1, frame, 4, asm.Word),
			asm.StoreMem(asm.RFP, laneAt+laneEther+4, asm.R1, asm.Word),
			asm.LoadMem(asm.R1, frame, 8, asm.Word),
			asm.StoreMem(asm.RFP, laneAt+laneEther+8, asm.R1, asm.Word),

			// What fits through the link: the check answers it, whatever it says of this packet.
			asm.StoreImm(asm.RFP, laneAt+laneMTU, 0, asm.Word),
			asm.Mov.Reg(asm.R1, ctx),
			asm.Mov.Imm(asm.R2, 0),
			asm.Mov.Reg(asm.R3, asm.RFP),
			asm.Add.Imm(asm.R3, laneAt+laneMTU),
			asm.Mov.Imm(asm.R4, 0),
			asm.Mov.Imm(asm.R5, 0),
			asm.FnCheckMtu.Call(),

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
