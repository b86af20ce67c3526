using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Piccolo.Tests.Tools.DevRelay.Fakes;

/// <summary>Signs backends' tokens, well-formed by default and as wrong as a test wants them.</summary>
internal static class TestTokens
{
    public const string Secret = "relay-tests-secret-0123456789";

    public static JsonObject Claims(params string[] hostnames) => new()
    {
        ["iss"] = "authorizer",
        ["aud"] = new JsonArray("nexus"),
        ["hostnames"] = new JsonArray([.. hostnames.Select(h => JsonValue.Create(h))]),
        ["weight"] = 1,
    };

    public static JsonObject With(this JsonObject claims, string name, JsonNode? value)
    {
        var copy = claims.DeepClone().AsObject();
        copy[name] = value;
        return copy;
    }

    public static JsonObject Without(this JsonObject claims, string name)
    {
        var copy = claims.DeepClone().AsObject();
        copy.Remove(name);
        return copy;
    }

    public static string Sign(JsonObject claims, string algorithm = "HS256", string secret = Secret)
    {
        var header = Encode(JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["alg"] = algorithm, ["typ"] = "JWT" }));
        var input = $"{header}.{Encode(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        var key = Encoding.UTF8.GetBytes(secret);
        var bytes = Encoding.ASCII.GetBytes(input);
        var signature = algorithm switch
        {
            "HS384" => HMACSHA384.HashData(key, bytes),
            "HS512" => HMACSHA512.HashData(key, bytes),
            "none" => [],
            _ => HMACSHA256.HashData(key, bytes),
        };
        return $"{input}.{Encode(signature)}";
    }

    private static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
