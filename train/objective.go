package train

import (
	"github.com/gomlx/gomlx/core/graph"
)

// Outputs holds the logits [batch, classes] of one step; A and B are deepest first.
type Outputs struct {
	Leader *graph.Node
	A, B   []*graph.Node
}

// Term is one named part of the objective: a scalar, before its weight.
type Term struct {
	Name   string
	Weight float64
	Value  *graph.Node
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
func Objective(o Outputs, labels *graph.Node, w Loss) []Term {
	a, b := o.A[0], o.B[0]
	ce := graph.Add(graph.Add(crossEntropy(o.Leader, labels), crossEntropy(a, labels)), crossEntropy(b, labels))
	terms := []Term{
		{"ce", w.CE, ce},
		{"from_leader", w.FromLeader, graph.Add(distill(o.Leader, a, w.Temperature), distill(o.Leader, b, w.Temperature))},
		{"from_mate", w.FromMate, graph.Add(distill(a, b, w.Temperature), distill(b, a, w.Temperature))},
	}
	var subCE, fromTeammate *graph.Node
	for _, mate := range [][]*graph.Node{o.A, o.B} {
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
func Total(terms []Term) *graph.Node {
	var total *graph.Node
	for _, t := range terms {
		total = plus(total, graph.MulScalar(t.Value, t.Weight))
	}
	return total
}

func plus(sum, x *graph.Node) *graph.Node {
	if sum == nil {
		return x
	}
	return graph.Add(sum, x)
}

// crossEntropy is the mean of -log softmax(logits)[label].
func crossEntropy(logits, labels *graph.Node) *graph.Node {
	target := graph.OneHot(labels, logits.Shape().Dimensions[1], logits.DType())
	return graph.Neg(graph.ReduceAllMean(graph.ReduceSum(graph.Mul(target, graph.LogSoftmax(logits)), -1)))
}

// distill is T² KL(teacher | student) at temperature T, a mean over the batch. The teacher is detached.
func distill(teacher, student *graph.Node, temperature float64) *graph.Node {
	t := graph.LogSoftmax(graph.DivScalar(graph.StopGradient(teacher), temperature))
	s := graph.LogSoftmax(graph.DivScalar(student, temperature))
	kl := graph.ReduceAllMean(graph.ReduceSum(graph.Mul(graph.Exp(t), graph.Sub(t, s)), -1))
	return graph.MulScalar(kl, temperature*temperature)
}
