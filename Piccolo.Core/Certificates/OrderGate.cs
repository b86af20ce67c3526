using Piccolo.Core.Primitives;

namespace Piccolo.Core.Certificates;

/// <summary>
/// Whether an order can succeed at all just now, for instance because the tunnel is up and the relay knows the names. What is wanted while the gate is
/// shut waits, without counting as a failure.
/// </summary>
/// <param name="MayOrder">Cheap and free of side effects; called from the loop.</param>
/// <param name="Changed">Raised when the answer may have become another.</param>
public sealed record OrderGate(Func<WantedCertificate, bool> MayOrder, ChangeSignal Changed);
