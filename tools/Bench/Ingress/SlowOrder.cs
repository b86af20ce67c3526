namespace Piccolo.Bench.Ingress;

/// <summary>What slow clients are told.</summary>
internal enum SlowOrder
{
    /// <summary>Come, all of you.</summary>
    Come,

    /// <summary>Say what you have done.</summary>
    Say,

    /// <summary>Go, all of you.</summary>
    Go,
}
