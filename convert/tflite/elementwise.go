package tflite

import (
	"github.com/fathom-edge/fathom/convert/graph"
	"github.com/fathom-edge/fathom/convert/tflite/schema"
)

// elementwise are the operators without options.
var elementwise = map[graph.Op]schema.BuiltinOperator{
	graph.OpAbs:       schema.BuiltinOperatorABS,
	graph.OpElu:       schema.BuiltinOperatorELU,
	graph.OpExp:       schema.BuiltinOperatorEXP,
	graph.OpHardSwish: schema.BuiltinOperatorHARD_SWISH,
	graph.OpLog:       schema.BuiltinOperatorLOG,
	graph.OpMaximum:   schema.BuiltinOperatorMAXIMUM,
	graph.OpMinimum:   schema.BuiltinOperatorMINIMUM,
	graph.OpNeg:       schema.BuiltinOperatorNEG,
	graph.OpRelu:      schema.BuiltinOperatorRELU,
	graph.OpRelu6:     schema.BuiltinOperatorRELU6,
	graph.OpSigmoid:   schema.BuiltinOperatorLOGISTIC,
	graph.OpSqrt:      schema.BuiltinOperatorSQRT,
	graph.OpSquare:    schema.BuiltinOperatorSQUARE,
	graph.OpTanh:      schema.BuiltinOperatorTANH,
}

// plain writes an operator without options.
func plain(code schema.BuiltinOperator) operation { return operation{code: code, version: 1} }
