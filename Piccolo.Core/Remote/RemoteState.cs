using System.Collections.Immutable;
using Piccolo.Core.Remote.Probing;

namespace Piccolo.Core.Remote;

/// <summary>The original's six words for remote access, computed from what was observed.</summary>
public enum RemoteState
{
    Disabled,

    /// <summary>Settings exist but remote access is off, or it is on and the first certificate is still being ordered.</summary>
    Provisioning,

    /// <summary>Kept for the original's clients; not used, since the state is computed from what happens and not from a check.</summary>
    PreflightRequired,
    Active,
    Warning,

    /// <summary>
    /// The portal cannot be reached from outside: the relay refuses the device, the certificate has expired, or nobody answers who dials it. Or somebody
    /// else answers for one of our names.
    /// </summary>
    Error,
}

/// <summary>What the state is computed from.</summary>
/// <param name="TunnelOnline">The relay accepted a session that still lives.</param>
/// <param name="TunnelProblem">Why not, in one sentence.</param>
/// <param name="TunnelRefused">The relay said no.</param>
/// <param name="PortalExpiry">Of the portal's certificate; null while there is none.</param>
/// <param name="CertificateProblems">One sentence for each certificate whose last attempt failed.</param>
/// <param name="ClockWrong">The device's clock is known to be wrong: no date can be compared with it.</param>
/// <param name="PortalReach">How the portal was found from outside; null when nobody has looked.</param>
/// <param name="OtherReaches">The same of the other names.</param>
/// <param name="LeftOut">One sentence for each thing that the plan has no place for.</param>
public sealed record RemoteObservation(
    bool TunnelOnline, string? TunnelProblem, bool TunnelRefused, DateTimeOffset? PortalExpiry, ImmutableArray<string> CertificateProblems,
    bool ClockWrong = false,
    NameReach? PortalReach = null, IReadOnlyList<NameReach>? OtherReaches = null, ImmutableArray<string> LeftOut = default);

/// <summary>Settings and observations to state and warnings; pure.</summary>
public static class RemoteAssessment
{
    public static (RemoteState State, ImmutableArray<string> Warnings) Assess(RemoteSettings? settings, RemoteObservation seen, DateTimeOffset now)
    {
        if (settings is null) return (RemoteState.Disabled, ["Remote access is not configured."]);
        if (!settings.Enabled) return (RemoteState.Provisioning, ["Remote access is switched off."]);
        var warnings = seen.CertificateProblems;
        warnings = warnings.InsertRange(0, Outside(seen)).AddRange(seen.LeftOut.IsDefault ? [] : seen.LeftOut);
        if (!seen.TunnelOnline) warnings = warnings.Insert(0, seen.TunnelProblem ?? "The relay has not accepted this device yet.");
        if (seen.ClockWrong)
            warnings = warnings.Insert(0, "The device's clock is wrong, so that certificates can be neither judged nor renewed. Set the date.");
        var expired = !seen.ClockWrong && seen.PortalExpiry <= now;
        if (expired) warnings = warnings.Insert(0, "The portal's certificate has expired.");
        if (expired || seen.TunnelRefused || IsReadByOthers(seen) || IsTrouble(seen.PortalReach)) return (RemoteState.Error, warnings);
        if (seen.PortalExpiry is null && seen.CertificateProblems.IsEmpty) return (RemoteState.Provisioning, warnings);
        return (warnings.IsEmpty ? RemoteState.Active : RemoteState.Warning, warnings);
    }

    private static IEnumerable<string> Outside(RemoteObservation seen) =>
        (seen.OtherReaches ?? []).Prepend(seen.PortalReach).Where(IsTrouble).Select(r => $"{r!.Name} is not reachable from outside: {r.Detail}");

    /// <summary>A name that others answer for is worse than one that nobody answers for, whichever it is.</summary>
    private static bool IsReadByOthers(RemoteObservation seen) =>
        (seen.OtherReaches ?? []).Prepend(seen.PortalReach).Any(r => r?.Result == ReachResult.WrongKey);

    private static bool IsTrouble(NameReach? reach) => reach?.Result is ReachResult.Dead or ReachResult.Dns or ReachResult.WrongKey;
}
