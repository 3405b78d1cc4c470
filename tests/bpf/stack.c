/* SPDX-License-Identifier: MIT */
#include <bpf/libbpf.h>
#include <err.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdlib.h>

#include "tests/bpf/stack.h"

#define ROUNDED_TO 32

struct code {
	const struct bpf_insn *insns;
	size_t n;
	bool *begins; /* a function */
	uint32_t *
		depth; /* of the function that begins there, with what it calls; 0: not known yet */
};

/* Where the function begins that the instruction calls or hands to a helper. */
static bool calls(const struct code *code, size_t at, size_t *target)
{
	const struct bpf_insn *insn = &code->insns[at];
	bool call = insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
	bool hands = insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg == BPF_PSEUDO_FUNC;

	*target = at + 1 + (size_t)(int64_t)insn->imm;
	if ((call || hands) && *target >= code->n)
		errx(1, "instruction %zu calls what is not there", at);
	return call || hands;
}

static uint32_t greater(uint32_t a, int64_t offset)
{
	return offset < 0 && (uint32_t)-offset > a ? (uint32_t)-offset : a;
}

/* How far below its end the instruction reaches into the frame. `copies`: registers that hold the
 * frame's end. */
static uint32_t reach(const struct bpf_insn *insn, uint32_t *copies)
{
	uint32_t class = BPF_CLASS(insn->code), bit = 1u << insn->dst_reg, most = 0;

	if ((class == BPF_ST || class == BPF_STX) && insn->dst_reg == BPF_REG_10)
		return greater(0, insn->off);
	if (class == BPF_LDX && insn->src_reg == BPF_REG_10)
		most = greater(0, insn->off);
	if (insn->code == (BPF_ALU64 | BPF_ADD | BPF_K) && *copies & bit)
		most = greater(0, insn->imm);
	if (insn->code == (BPF_ALU64 | BPF_MOV | BPF_X) && insn->src_reg == BPF_REG_10)
		*copies |= bit;
	else if (class == BPF_LDX || class == BPF_LD || class == BPF_ALU || class == BPF_ALU64)
		*copies &= ~bit;
	return most;
}

static uint32_t depth_of(struct code *code, size_t begin)
{
	uint32_t frame = 1, called = 0, copies = 0;
	size_t target;

	if (code->depth[begin])
		return code->depth[begin];
	for (size_t i = begin; i < code->n && (i == begin || !code->begins[i]); i++) {
		uint32_t here = reach(&code->insns[i], &copies);
		uint32_t below = calls(code, i, &target) ? depth_of(code, target) : 0;

		frame = here > frame ? here : frame;
		called = below > called ? below : called;
	}
	code->depth[begin] = (frame + ROUNDED_TO - 1) / ROUNDED_TO * ROUNDED_TO + called;
	return code->depth[begin];
}

uint32_t stack_of(const struct bpf_program *program)
{
	struct code code = {.insns = bpf_program__insns(program),
			    .n = bpf_program__insn_cnt(program)};
	uint32_t depth;
	size_t target;

	code.begins = calloc(code.n, sizeof(*code.begins));
	code.depth = calloc(code.n, sizeof(*code.depth));
	if (!code.n || !code.begins || !code.depth)
		errx(1, "no program to look at");
	for (size_t i = 0; i < code.n; i++)
		if (calls(&code, i, &target))
			code.begins[target] = true;
	depth = depth_of(&code, 0);
	free(code.begins);
	free(code.depth);
	return depth;
}
