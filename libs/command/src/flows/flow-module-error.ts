import { MillraceError } from "@millrace/dataflow/options";

/** A file given as a flow cannot be loaded, or exports no flow. */
export class FlowModuleError extends MillraceError {
  static readonly code = "MILLRACE_FLOW_MODULE";
  readonly code = FlowModuleError.code;
}
