using System.Collections.Immutable;
using System.Text;
using Piccolo.Core.Listeners;

namespace Piccolo.Core.Apps.Manifest;

/// <summary>Text to manifest: every error at once, in bounded time and memory whatever the text. Thread-safe.</summary>
public static class AppManifestParser
{
    /// <summary>The largest manifest, in bytes of UTF-8.</summary>
    public const int MaxBytes = 256 * 1024;

    private static readonly AppManifestValidator Validator = new();
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static ManifestResult Parse(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > MaxBytes) return Invalid(TooLarge);
        try
        {
            return Parse(StrictUtf8.GetString(utf8));
        }
        catch (DecoderFallbackException)
        {
            return Invalid("The text is not UTF-8.");
        }
    }

    public static ManifestResult Parse(string yaml)
    {
        if (yaml.Length > MaxBytes || Encoding.UTF8.GetByteCount(yaml) > MaxBytes) return Invalid(TooLarge);
        // Some editors begin a file with a byte-order mark, which YAML allows (1.2, 5.2).
        if (yaml.StartsWith('\uFEFF')) yaml = yaml[1..];
        var errors = new ManifestErrorList();
        var root = ManifestYaml.Read(yaml, errors);
        if (root is null) return new ManifestResult(null, errors.ToImmutable());
        var draft = new ManifestDraftReader(errors).Read(root);
        foreach (var failure in Validator.Validate(draft).Errors) errors.AddRule(failure.PropertyName, failure.ErrorMessage);
        return errors.Any
            ? new ManifestResult(null, [.. errors.ToImmutable().OrderBy(e => e.Line)])
            : new ManifestResult(Build(draft), []);
    }

    private static string TooLarge => $"The manifest is larger than {MaxBytes / 1024} KiB.";

    private static ManifestResult Invalid(string message) => new(null, [new ManifestError(ManifestError.Document, 1, message)]);

    private static AppManifest Build(ManifestDraft draft) => new(
        draft.Name!,
        draft.Type is null ? AppType.User : Enum.Parse<AppType>(draft.Type, ignoreCase: true),
        draft.Image!,
        [.. draft.Listeners!.Select(Build)],
        draft.Environment.ToImmutableSortedDictionary(StringComparer.Ordinal),
        draft.Memory is not null && ResourceSizes.TryParseBytes(draft.Memory, out var bytes) ? bytes : null,
        draft.Cpu is not null && ResourceSizes.TryParseNanoCpus(draft.Cpu, out var cpus) ? cpus : null);

    private static ListenerDefinition Build(ListenerDraft draft) => new(
        draft.Name!,
        draft.GuestPort!.Value,
        draft.Flow is null ? ListenerFlow.Tcp : Enum.Parse<ListenerFlow>(draft.Flow, ignoreCase: true),
        draft.Protocol is null ? ListenerProtocol.Raw : Enum.Parse<ListenerProtocol>(draft.Protocol, ignoreCase: true),
        draft.RemotePorts is { } ports ? [.. ports.OfType<int>()] : ListenerDefinition.DefaultRemotePorts)
    {
        ClientHeader = draft.ProxyProtocol is null ? ClientHeader.None : ClientHeader.ProxyV2,
        HstsMaxAge = draft.HstsMaxAge,
        HealthPath = draft.HealthPath,
    };
}
