using System.Text.Json;

namespace Piccolo.Rig.Stack;

/// <summary>
/// Where everything of a running demo is; written to <c>artifacts/demo/endpoints.json</c>, mode 0600, since it holds the token and the secret.
/// </summary>
public sealed record DemoEndpoints
{
    public const string Domain = "home.test";
    public const string PortalHost = "portal.home.test";
    public const string Password = "correct horse battery staple";

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public required string Api { get; init; }
    public required string Portal { get; init; }
    public required string RelayHub { get; init; }
    public required string RelayTls { get; init; }
    public required string RelayHttp { get; init; }
    public required string RelayControl { get; init; }
    public required string PebbleDirectory { get; init; }
    public required string PebbleRootFile { get; init; }
    public required string DeviceSecret { get; init; }
    public required string BearerToken { get; init; }
    public required string StateDirectory { get; init; }
    public required string LeadershipFile { get; init; }
    public required IReadOnlyDictionary<string, int> ProcessIds { get; init; }

    public async Task WriteAsync(string path)
    {
        await using var stream = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        await JsonSerializer.SerializeAsync(stream, this, Json);
    }
}
