namespace Piccolo.Core.Leadership;

/// <summary>What a node can lead: the control plane, or one app. Text form <c>control-plane</c> or <c>app:&lt;name&gt;</c>.</summary>
public readonly record struct ResourceId
{
    private ResourceId(string value) => Value = value;

    public static ResourceId ControlPlane { get; } = new("control-plane");

    public string Value { get; }

    public static ResourceId App(string name) => new("app:" + name);

    public static bool TryParse(string text, out ResourceId id)
    {
        var valid = text == ControlPlane.Value || (text.StartsWith("app:", StringComparison.Ordinal) && Primitives.DomainName.IsLabel(text[4..]));
        id = valid ? new ResourceId(text) : default;
        return valid;
    }

    public override string ToString() => Value;
}
