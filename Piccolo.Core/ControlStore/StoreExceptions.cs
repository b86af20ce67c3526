using Piccolo.Core.Health;

namespace Piccolo.Core.ControlStore;

/// <summary>The store is sealed: the vault is locked or not set up.</summary>
public sealed class StoreSealedException() : Exception("The control store is sealed.");

/// <summary>The store cannot be read or written; the fault is latched and readiness fails.</summary>
public sealed class StoreFaultException(FaultCode code, string message, Exception? inner = null) : Exception(message, inner)
{
    public FaultCode Code { get; } = code;
}
