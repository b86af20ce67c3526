namespace Piccolo.Core.Apps.Manifest;

/// <summary>How long a service may take to stop before it is killed.</summary>
public static class StopGraces
{
    private static readonly TimeSpan Ordinary = TimeSpan.FromSeconds(30);

    // A database that is killed while it writes has to repair itself at its next start, or cannot.
    private static readonly TimeSpan Store = TimeSpan.FromSeconds(120);

    /// <summary>What the manifest says; else 120 s for databases, 30 s for all others.</summary>
    public static TimeSpan For(ServiceManifest service) => service.StopGrace ?? (KnownStores.IsStore(service.Image) ? Store : Ordinary);
}
