using System.Security.Cryptography;
using Piccolo.Core.ControlStore;

namespace Piccolo.Core.Volumes;

/// <summary>A volume as the control store keeps it. Immutable.</summary>
/// <param name="Id">The name of its folder on the disk: 32 hexadecimal digits, so that the disk tells no names of apps.</param>
/// <param name="Key">
/// Random and of its own, never derived from the data key: a key that can be derived again cannot be destroyed. Null = destroyed; the files are being deleted.
/// </param>
/// <param name="IsFilled">Whether its first content lies in it whole. What is in a volume that is not filled counts for nothing.</param>
/// <param name="FilledFrom">The image that it was filled from, where it follows the image.</param>
internal sealed record VolumeRecord(
    string App, string Name, string Id, byte[]? Key, long? SizeLimitBytes, bool IsFilled, string? FilledFrom, DateTimeOffset CreatedAt)
{
    public const int KeyBytes = 32;
    private const int IdBytes = 16;

    public static readonly StoreCollection<VolumeRecord> Collection = new("app-volumes");

    public string StoreKey => KeyOf(App, Name);

    /// <summary>Neither name can hold a slash.</summary>
    public static string KeyOf(string app, string name) => $"{app}/{name}";

    public static VolumeRecord New(string app, WantedVolume wanted, DateTimeOffset now) => new(
        app, wanted.Name, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes)), RandomNumberGenerator.GetBytes(KeyBytes), wanted.SizeLimitBytes,
        IsFilled: false, FilledFrom: null, now);

    public static bool IsId(string text) => text.Length == 2 * IdBytes && text.All(char.IsAsciiHexDigitLower);

    /// <summary>The key is left out.</summary>
    public override string ToString() => $"{App}/{Name} id={Id} filled={IsFilled}";
}
