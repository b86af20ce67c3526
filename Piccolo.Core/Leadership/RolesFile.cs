using System.Text.Json;

namespace Piccolo.Core.Leadership;

/// <summary>
/// The content of the leadership file:
/// <c>{"control-plane":{"role":"leader|follower","leader":"https://…"},"app:&lt;name&gt;":{…}}</c>. This node leads every resource that the file does not name.
/// </summary>
internal static class RolesFile
{
    public const int MaxFileBytes = 256 * 1024;

    /// <returns>The roles, or null with the reason when the text is not such a file.</returns>
    public static IReadOnlyDictionary<ResourceId, Role>? TryParse(ReadOnlyMemory<byte> json, out string reason)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 4 });
            return Read(document.RootElement, out reason);
        }
        catch (JsonException)
        {
            reason = "it is not valid JSON";
            return null;
        }
    }

    private static Dictionary<ResourceId, Role>? Read(JsonElement root, out string reason)
    {
        reason = "the top level is not an object";
        if (root.ValueKind != JsonValueKind.Object) return null;
        var roles = new Dictionary<ResourceId, Role>();
        foreach (var entry in root.EnumerateObject())
        {
            reason = $"'{entry.Name}' is neither control-plane nor app:<name>";
            if (!ResourceId.TryParse(entry.Name, out var resource)) return null;
            reason = $"'{entry.Name}' must be an object with role leader or follower";
            if (entry.Value.ValueKind != JsonValueKind.Object || ReadText(entry.Value, "role") is not ("leader" or "follower")) return null;
            reason = $"the leader of '{entry.Name}' must be an http(s) origin without path";
            Uri? leader = null;
            if (ReadText(entry.Value, "leader") is { } text && !Role.TryParseOrigin(text, out leader)) return null;
            roles[resource] = ReadText(entry.Value, "role") == "leader" ? Role.Leader : Role.FollowerOf(leader);
        }
        reason = "";
        return roles;
    }

    private static string? ReadText(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
