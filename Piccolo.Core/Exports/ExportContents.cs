using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Piccolo.Core.Exports;

/// <summary>The first entry of the sealed part of a full export: what it holds, and what it leaves out. A whole file holds all that stands here.</summary>
public sealed partial record ExportContents
{
    internal const string EntryName = "contents.json";
    internal const int MaxBytes = 16 * 1024 * 1024;
    private const int MaxVolumes = 100_000;

    internal static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    public required ImmutableArray<ExportedVolume> Volumes { get; init; }

    public required ImmutableArray<LeftOutVolume> LeftOut { get; init; }

    internal byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <exception cref="ExportInvalidException">It is not what an appliance writes.</exception>
    internal static ExportContents Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            var contents = JsonSerializer.Deserialize<ExportContents>(json, Json);
            if (contents is
                {
                    Volumes: { IsDefault: false, Length: <= MaxVolumes } volumes,
                    LeftOut: { IsDefault: false, Length: <= MaxVolumes } leftOut,
                }
                && leftOut.All(v => v is not null) && volumes.All(v => v is not null && IdPattern.IsMatch(v.Id))
                && volumes.Select(v => v.Id).Distinct(StringComparer.Ordinal).Count() == volumes.Length)
                return contents;
        }
        catch (JsonException)
        {
            // Said below.
        }
        throw new ExportInvalidException("export_invalid", "The export's list of contents is not what an appliance writes.");
    }

    [GeneratedRegex("^[0-9a-f]{32}$", RegexOptions.CultureInvariant)]
    private static partial Regex IdPattern { get; }
}
