namespace Piccolo.Core.Apps.Manifest;

/// <summary>A manifest as it was written: shapes are right, rules not yet checked. Null = not given.</summary>
internal sealed record ManifestDraft
{
    public string? Name { get; set; }
    public string? Image { get; set; }
    public string? Type { get; set; }
    public List<ListenerDraft>? Listeners { get; set; }
    public List<KeyValuePair<string, string>> Environment { get; set; } = [];
    public string? Memory { get; set; }
    public string? Cpu { get; set; }
}

/// <summary>A listener as it was written.</summary>
internal sealed record ListenerDraft
{
    public string? Name { get; set; }
    public int? GuestPort { get; set; }
    public string? Flow { get; set; }
    public string? Protocol { get; set; }
    public List<int?>? RemotePorts { get; set; }
    public string? ProxyProtocol { get; set; }
    public int? HstsMaxAge { get; set; }
    public string? HealthPath { get; set; }
}
