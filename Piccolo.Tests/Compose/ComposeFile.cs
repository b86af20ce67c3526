using System.Text.RegularExpressions;
using Piccolo.Tests.Fakes;
using YamlDotNet.RepresentationModel;

namespace Piccolo.Tests.Compose;

/// <summary>One of the compose files, read as YAML; variables are replaced with their defaults.</summary>
internal sealed partial class ComposeFile
{
    private readonly YamlMappingNode _root;

    private ComposeFile(YamlMappingNode root) => _root = root;

    /// <summary>Name → what is said of the service.</summary>
    public IReadOnlyDictionary<string, YamlMappingNode> Services =>
        Map(_root, "services").Children.ToDictionary(s => Text(s.Key), s => (YamlMappingNode)s.Value);

    /// <param name="name">A file of the folder <c>compose</c>.</param>
    public static ComposeFile Read(string name)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Variable().Replace(File.ReadAllText(Repository.File($"compose/{name}")), "${default}")));
        return new ComposeFile((YamlMappingNode)stream.Documents[0].RootNode);
    }

    public static string Text(YamlNode node) => ((YamlScalarNode)node).Value!;

    public static YamlMappingNode Map(YamlMappingNode parent, string key) => (YamlMappingNode)parent[key];

    /// <summary>The items of a list, or none when the key is absent.</summary>
    public static IEnumerable<string> List(YamlMappingNode parent, string key) =>
        parent.Children.TryGetValue(key, out var list) ? ((YamlSequenceNode)list).Select(Text) : [];

    [GeneratedRegex(@"\$\{[A-Z_]+(?::-(?<default>[^}]*)|[^}]*)?\}")]
    private static partial Regex Variable();
}
