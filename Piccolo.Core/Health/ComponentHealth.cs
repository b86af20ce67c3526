namespace Piccolo.Core.Health;

/// <summary>How a component is: works, works less well than it should, or has broken a promise.</summary>
public enum HealthLevel
{
    Ok,
    Degraded,
    Fatal,
}

/// <summary>What was last observed of one component, and since when its level has been the same.</summary>
public sealed record ComponentHealth(string Name, HealthLevel Level, string Message, DateTimeOffset Since);

/// <summary>The components that report.</summary>
public static class HealthComponents
{
    public const string Vault = "vault";
    public const string Store = "store";
    public const string Volumes = "volumes";
    public const string Containers = "containers";
    public const string Firewall = "firewall";
    public const string Ingress = "ingress";
    public const string Tunnel = "tunnel";
    public const string Certificates = "certificates";
    public const string Clock = "clock";
    public const string Leadership = "leadership";
}
