using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Piccolo.Core.Containers.Firewall;

/// <summary>The words of <c>nft --json</c> (libnftables-json(5)) for the sets of our table. Pure.</summary>
internal static class NftJson
{
    private const string Family = "inet";
    private const string Table = "piccolo_apps";

    /// <summary>Asks for the sets of the table with their elements.</summary>
    public static string List { get; } = Commands([ListOfSets()]);

    /// <summary>All of the change, or nothing of it: the commands of one text are one transaction.</summary>
    public static string Write(FirewallChange change) => Commands(
    [
        // Networks that overlap must not be there at the same time.
        .. change.Remove.GroupBy(e => e.Set).Select(g => Elements("delete", g)),
        .. change.Add.GroupBy(e => e.Set).Select(g => Elements("add", g)),
        // So that silence never stands for success.
        ListOfSets(),
    ]);

    /// <returns>The elements of our sets; null where a set is missing.</returns>
    /// <exception cref="JsonException">It is no such answer.</exception>
    public static ImmutableArray<FirewallElement>? Read(string answer)
    {
        try
        {
            var sets = (JsonNode.Parse(answer)?["nftables"] as JsonArray ?? throw new JsonException("There is no list in it."))
                .Select(entry => entry?["set"]).OfType<JsonObject>().Where(set => Text(set["family"]) == Family && Text(set["table"]) == Table)
                .ToDictionary(set => Text(set["name"]), StringComparer.Ordinal);
            if (FirewallSets.All.Any(name => !sets.ContainsKey(name))) return null;
            return [.. FirewallSets.All.SelectMany(name => (sets[name]["elem"] as JsonArray ?? []).Select(element => Element(name, element)))];
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException)
        {
            throw new JsonException("The answer has another shape.", e);
        }
    }

    private static FirewallElement Element(string set, JsonNode? element)
    {
        var inner = (element as JsonObject)?["elem"];
        var value = inner?["val"] ?? element;
        var owner = inner?["comment"] is { } comment ? Text(comment) : "";
        return value is JsonObject network && network["prefix"] is { } prefix
            ? new(set, string.Create(CultureInfo.InvariantCulture, $"{Text(prefix["addr"])}/{prefix["len"]!.GetValue<int>()}"), owner)
            // What nobody of ours wrote, a range for one, is known by its own text: it is no address of ours.
            : new(set, value is JsonValue text ? Text(text) : value?.ToJsonString() ?? "", owner);
    }

    private static JsonObject Elements(string verb, IGrouping<string, FirewallElement> elements)
    {
        var place = Place();
        place["name"] = elements.Key;
        place["elem"] = new JsonArray([.. elements.Select(Element)]);
        return new JsonObject { [verb] = new JsonObject { ["element"] = place } };
    }

    private static JsonNode Element(FirewallElement element)
    {
        JsonNode value = element.Value;
        if (element.Value.StartsWith('{')) value = JsonNode.Parse(element.Value)!;
        else if (element.Value.Split('/') is [var address, var length])
            value = new JsonObject { ["prefix"] = new JsonObject { ["addr"] = address, ["len"] = int.Parse(length, CultureInfo.InvariantCulture) } };
        return element.Owner.Length == 0 ? value : new JsonObject { ["elem"] = new JsonObject { ["val"] = value, ["comment"] = element.Owner } };
    }

    private static string Text(JsonNode? node) => node?.GetValue<string>() ?? "";

    private static JsonObject ListOfSets() => new() { ["list"] = new JsonObject { ["sets"] = Place() } };

    private static JsonObject Place() => new() { ["family"] = Family, ["table"] = Table };

    private static string Commands(JsonNode[] commands) => new JsonObject { ["nftables"] = new JsonArray(commands) }.ToJsonString();
}
