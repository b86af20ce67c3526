using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Piccolo.Core.Exports;

/// <summary>What an export holds.</summary>
public enum ExportKind
{
    /// <summary>Key set and control store.</summary>
    Control,

    /// <summary>These and the apps' encrypted volumes, but for those whose content can be had again.</summary>
    Full,
}

/// <summary>
/// The readable beginning of an export file (ADR 0008): <c>magic (16) | format (u16) | length (u32) | JSON | SHA-256 (32)</c>, big-endian. The hash
/// tells a damaged header from a wrong password; the header is authenticated by being the associated data of every chunk behind it.
/// </summary>
internal sealed record ExportHeader
{
    /// <summary>Nothing but a control store; and full exports of earlier releases, which do not say what they hold.</summary>
    public const int PlainVersion = 1;

    /// <summary>Begins with its contents, and each volume ends with its digest.</summary>
    public const int ContentsVersion = 2;

    public const int SaltLength = 32;

    private const int MaxJsonBytes = 32 * 1024;
    private const int FixedLength = 22;

    private static readonly byte[] Magic = "PiccoloExport\r\n\u001a"u8.ToArray();

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    /// <summary>The format of the file. It stands before the JSON.</summary>
    [JsonIgnore]
    public int Version { get; init; } = PlainVersion;

    public required ExportKind Kind { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The appliance that wrote it.</summary>
    public required string Instance { get; init; }

    /// <summary>The store's revision, and the oldest reader that may open it.</summary>
    public required long Revision { get; init; }
    public required long MinReader { get; init; }

    /// <summary>The function from password to key, for people; its parameters are in the key set.</summary>
    public required string Kdf { get; init; }
    public required byte[] Salt { get; init; }

    /// <summary>The key-set file as it was.</summary>
    public required byte[] KeySet { get; init; }

    /// <returns>The header's bytes and the hash that every chunk is bound to.</returns>
    public (byte[] Bytes, byte[] Hash) Write()
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(this, Json);
        if (json.Length > MaxJsonBytes) throw new InvalidOperationException("The header outgrew its limit.");
        var bytes = new byte[FixedLength + json.Length + SHA256.HashSizeInBytes];
        Magic.CopyTo(bytes, 0);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(16), (ushort)Version);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(18), json.Length);
        json.CopyTo(bytes, FixedLength);
        var hash = SHA256.HashData(bytes.AsSpan(0, FixedLength + json.Length));
        hash.CopyTo(bytes, FixedLength + json.Length);
        return (bytes, hash);
    }

    /// <summary>Reads a file that anybody may have written, and no more of it than a header may have.</summary>
    /// <exception cref="ExportInvalidException">It is not an export that this version can use.</exception>
    public static async Task<(ExportHeader Header, byte[] Hash)> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var head = new byte[FixedLength];
        if (await stream.ReadAtLeastAsync(head, FixedLength, throwOnEndOfStream: false, cancellationToken) < FixedLength) throw NotAnExport();
        if (!head.AsSpan(0, Magic.Length).SequenceEqual(Magic)) throw NotAnExport();
        var version = BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(16));
        if (version is not (PlainVersion or ContentsVersion))
            throw new ExportInvalidException(
                "export_version", $"The export has format {version}; this appliance reads formats {PlainVersion} and {ContentsVersion}.");
        var length = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(18));
        if (length is <= 0 or > MaxJsonBytes) throw Damaged();
        var rest = new byte[length + SHA256.HashSizeInBytes];
        if (await stream.ReadAtLeastAsync(rest, rest.Length, throwOnEndOfStream: false, cancellationToken) < rest.Length) throw Damaged();
        var hash = SHA256.HashData([.. head, .. rest.AsSpan(0, length)]);
        if (!hash.AsSpan().SequenceEqual(rest.AsSpan(length))) throw Damaged();
        return (Parse(rest.AsSpan(0, length)) with { Version = version }, hash);
    }

    private static ExportHeader Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            var header = JsonSerializer.Deserialize<ExportHeader>(json, Json);
            return header is { Salt.Length: SaltLength, KeySet.Length: > 0, Instance.Length: <= 128, Kdf.Length: <= 128 } ? header : throw Damaged();
        }
        catch (JsonException)
        {
            throw Damaged();
        }
    }

    private static ExportInvalidException NotAnExport() => new("not_an_export", "The file is not an export of an appliance.");

    private static ExportInvalidException Damaged() => new("export_damaged", "The export's header is damaged or cut off.");
}

/// <summary>The file cannot be used; nothing was written.</summary>
public sealed class ExportInvalidException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    public string Code { get; } = code;
}
