package train

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Outputs holds the logits [batch, classes] of one step; A and B are deepest first.
type Outputs struct {
	Leader *Node
	A, B   []*Node
}

// Term is one named part of the objective: a scalar, before its weight.
type Term struct {
	Name   string
	Weight float64
	Value  *Node
}

// Objective returns the terms of the cooperative loss for labels [batch] (integers). With p the softmax at temperature
// T, and CE and KL averaged over the batch:
//
//	ce              CE(L) + CE(A) + CE(B)
//	sub_ce          sum over sub-networks s of CE(s)
//	from_leader     T² (KL(p_L | p_A) + KL(p_L | p_B))
//	from_mate       T² (KL(p_A | p_B) + KL(p_B | p_A))
//	from_teammate   T² (sum over subs a of A of KL(p_A | p_a) + sum over subs b of B of KL(p_B | p_b))
//
// The first argument of each KL is a teacher: no gradient flows into it. Weights and temperature are ours; the method's
// publication does not give them.
func Objective(o Outputs, labels *Node, w Loss) []Term {
	a, b := o.A[0], o.B[0]
	ce := Add(Add(crossEntropy(o.Leader, labels), crossEntropy(a, labels)), crossEntropy(b, labels))
	terms := []Term{
		{"ce", w.CE, ce},
		{"from_leader", w.FromLeader, Add(distill(o.Leader, a, w.Temperature), distill(o.Leader, b, w.Temperature))},
		{"from_mate", w.FromMate, Add(distill(a, b, w.Temperature), distill(b, a, w.Temperature))},
	}
	var subCE, fromTeammate *Node
	for _, mate := range [][]*Node{o.A, o.B} {
		for _, sub := range mate[1:] {
			subCE = plus(subCE, crossEntropy(sub, labels))
			fromTeammate = plus(fromTeammate, distill(mate[0], sub, w.Temperature))
		}
	}
	if subCE != nil {
		terms = append(terms, Term{"sub_ce", w.SubCE, subCE}, Term{"from_teammate", w.FromTeammate, fromTeammate})
	}
	return terms
}

// Total is the weighted sum of the terms.
func Total(terms []Term) *Node {
	var total *Node
	for _, t := range terms {
		total = plus(total, MulScalar(t.Value, t.Weight))
	}
	return total
}

func plus(sum, x *Node) *Node {
	if sum == nil {
		return x
	}
	return Add(sum, x)
}

// crossEntropy is the mean of -log softmax(logits)[label].
func crossEntropy(logits, labels *Node) *Node {
	target := OneHot(labels, logits.Shape().Dimensions[1], logits.DType())
	return Neg(ReduceAllMean(ReduceSum(Mul(target, LogSoftmax(logits)), -1)))
}

// distill is T² KL(teacher | student) at temperature T, a mean over the batch. The teacher is detached.
func distill(teacher, student *Node, temperature float64) *Node {
	t := LogSoftmax(DivScalar(StopGradient(teacher), temperature))
	s := LogSoftmax(DivScalar(student, temperature))
	kl := ReduceAllMean(ReduceSum(Mul(Exp(t), Sub(t, s)), -1))
	return MulScalar(kl, temperature*temperature)
}
