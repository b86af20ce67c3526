using System.Text.Json;
using System.Text.Json.Nodes;
using Piccolo.Core.Containers.Firewall;

namespace Piccolo.Tests.Core.Containers.Firewall;

internal sealed class NftJsonTests
{
    [Test]
    public void Read_ElementsOfEveryForm_AreThose()
    {
        var read = NftJson.Read(Answer(
            """{"set":{"family":"inet","name":"internet","table":"piccolo_apps","elem":["10.1.0.8",{"elem":{"val":"10.1.0.9","comment":"abc"}}]}}""",
            """{"set":{"family":"inet","name":"attached","table":"piccolo_apps","elem":[{"prefix":{"addr":"192.168.7.0","len":24}},"192.0.2.1"]}}""",
            """{"set":{"family":"inet","name":"resolvers","table":"another","elem":["1.1.1.1"]}}""",
            """{"set":{"family":"ip","name":"resolvers","table":"piccolo_apps","elem":["1.1.1.1"]}}"""));

        Assert.That(read, Is.EqualTo(new FirewallElement[]
        {
            new("internet", "10.1.0.8"), new("internet", "10.1.0.9", "abc"), new("attached", "192.168.7.0/24"), new("attached", "192.0.2.1"),
        }));
    }

    [TestCase("internet")]
    [TestCase("local_network")]
    [TestCase("dns")]
    [TestCase("resolvers")]
    [TestCase("attached")]
    [TestCase("containers")]
    public void Read_OneSetMissing_IsNoTableOfOurs(string missing) => Assert.That(NftJson.Read(Answer().Replace($"\"{missing}\"", "\"old\"")), Is.Null);

    [TestCase("")]
    [TestCase("Error: something")]
    [TestCase("{}")]
    [TestCase("[]")]
    [TestCase("null")]
    [TestCase("{\"nftables\":{}}")]
    [TestCase("{\"nftables\":[{\"set\":{\"family\":1,\"table\":\"piccolo_apps\"}}]}")]
    [TestCase("{\"nftables\":[{\"set\":{\"family\":\"inet\",\"table\":\"piccolo_apps\",\"name\":\"dns\"}},"
        + "{\"set\":{\"family\":\"inet\",\"table\":\"piccolo_apps\",\"name\":\"dns\"}}]}")]
    public void Read_SomethingElse_IsSaidSo(string text) => Assert.That(() => NftJson.Read(text), Throws.InstanceOf<JsonException>());

    [Test]
    public void Read_ElementsThatNobodyOfOursWrote_AreToldApartAndCanBeRemoved()
    {
        const string range = """{"range":["10.0.0.1","10.0.0.9"]}""";
        var found = NftJson.Read(Answer($$$"""{"set":{"family":"inet","name":"attached","table":"piccolo_apps","elem":[{{{range}}}]}}"""))!.Value.Single();

        var written = JsonNode.Parse(NftJson.Write(new FirewallChange([found], [])))!;

        Assert.That(found.Value, Is.EqualTo(range));
        Assert.That(written["nftables"]![0]!["delete"]!["element"]!["elem"]![0]!.ToJsonString(), Is.EqualTo(range));
    }

    [Test]
    public void Write_Change_RemovesFirstAndGroupsBySet()
    {
        var text = NftJson.Write(new FirewallChange(
            [new("attached", "10.0.0.0/24"), new("dns", "10.1.0.7", "abc")],
            [new("internet", "10.1.0.9", "abc"), new("internet", "10.1.0.8", "abc"), new("attached", "10.0.0.0/16")]));

        var commands = JsonNode.Parse(text)!["nftables"]!.AsArray().Select(c => c!.AsObject().Single()).ToList();
        Assert.That(commands.Select(c => (c.Key, (string?)c.Value!["element"]?["name"])), Is.EqualTo(new (string, string?)[]
        {
            ("delete", "attached"), ("delete", "dns"), ("add", "internet"), ("add", "attached"), ("list", null),
        }));
        Assert.That(commands[2].Value!["element"]!["elem"]!.AsArray().Select(e => e!["elem"]!["val"]!.GetValue<string>()),
            Is.EqualTo(new[] { "10.1.0.9", "10.1.0.8" }));
    }

    /// <summary>All six sets, empty where nothing is said.</summary>
    private static string Answer(params string[] sets)
    {
        var named = sets.Select(s => JsonNode.Parse(s)!["set"]!).Where(s => s["table"]!.GetValue<string>() == "piccolo_apps"
            && s["family"]!.GetValue<string>() == "inet").Select(s => s["name"]!.GetValue<string>()).ToHashSet();
        var rest = FirewallSets.All.Where(name => !named.Contains(name))
            .Select(name => $$$"""{"set":{"family":"inet","name":"{{{name}}}","table":"piccolo_apps"}}""");
        return $$$"""{"nftables":[{"metainfo":{"json_schema_version":1}},{{{string.Join(',', sets.Concat(rest))}}}]}""";
    }
}
