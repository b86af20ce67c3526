using System.Text.Json;
using System.Text.Json.Serialization;

namespace Piccolo.Core.ControlStore;

/// <summary>
/// A named set of records of one type in the control store. Records are immutable and must round-trip through JSON.
/// </summary>
/// <param name="Name">Part of each row's seal: never renamed.</param>
/// <param name="Schema">The shape of the JSON, also part of the seal.</param>
public sealed record StoreCollection<T>(string Name, int Schema = 1) where T : class
{
    /// <summary>No loop computes anything from it: a commit that writes nothing else does not raise <see cref="SealedStore.Changed"/>.</summary>
    public bool IsQuiet { get; init; }

    /// <summary>Brings a record that was read from a row of an older schema to the present one; throws <see cref="JsonException"/> where it cannot.</summary>
    public Func<T, T>? Upgrade { get; init; }

    internal static byte[] Serialize(T record) => JsonSerializer.SerializeToUtf8Bytes(record, StoreJson.Options);

    internal static T Deserialize(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize<T>(json, StoreJson.Options) ?? throw new JsonException("null record");
}

internal static class StoreJson
{
    public static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };
}
