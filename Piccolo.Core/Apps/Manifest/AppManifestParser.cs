using System.Text;
using Piccolo.Core.Apps.Manifest.Reading;
using Piccolo.Core.Apps.Manifest.Rules;

namespace Piccolo.Core.Apps.Manifest;

/// <summary>Text to manifest: every error at once, in bounded time and memory whatever the text. Thread-safe.</summary>
public static class AppManifestParser
{
    /// <summary>The largest manifest, in bytes of UTF-8.</summary>
    public const int MaxBytes = 256 * 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static ManifestResult Parse(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > MaxBytes) return Invalid(ManifestErrorCodes.TooLarge, TooLarge);
        try
        {
            return Parse(StrictUtf8.GetString(utf8));
        }
        catch (DecoderFallbackException)
        {
            return Invalid(ManifestErrorCodes.Syntax, "The text is not UTF-8.");
        }
    }

    public static ManifestResult Parse(string yaml) => Parse(yaml, openUnlessSaid: false);

    /// <summary>A manifest that was installed when none could close the network: where it says nothing, its services go on reaching everything.</summary>
    internal static ManifestResult ParseOfOpenNetworks(string yaml) => Parse(yaml, openUnlessSaid: true);

    private static ManifestResult Parse(string yaml, bool openUnlessSaid)
    {
        if (yaml.Length > MaxBytes || Encoding.UTF8.GetByteCount(yaml) > MaxBytes) return Invalid(ManifestErrorCodes.TooLarge, TooLarge);
        // Some editors begin a file with a byte-order mark, which YAML allows (1.2, 5.2).
        if (yaml.StartsWith('\uFEFF')) yaml = yaml[1..];
        var errors = new ManifestErrorList();
        var root = ManifestYaml.Read(yaml, errors);
        if (root is null) return new ManifestResult(null, errors.ToImmutable());
        var draft = ManifestDraftReader.Read(root, errors);
        AppManifestValidator.Validate(draft, errors);
        if (errors.Any) return new ManifestResult(null, [.. errors.ToImmutable().OrderBy(e => e.Line)]);
        var manifest = ManifestBuilder.Build(draft, openUnlessSaid);
        return new ManifestResult(manifest, []) { Warnings = [.. ManifestWarnings.Of(manifest, isShort: draft.Services is null)] };
    }

    private static string TooLarge => $"The manifest is larger than {MaxBytes / 1024} KiB.";

    private static ManifestResult Invalid(string code, string message) =>
        new(null, [new ManifestError(ManifestError.Document, 1, message) { Column = 1, Code = code }]);
}
