namespace Piccolo.Core.Leadership;

/// <summary>What this node is for a resource.</summary>
public enum LeadershipRole
{
    Leader,
    Follower,

    /// <summary>No elector has said anything yet. Acts as a follower whose leader is not known: two leaders are worse than none.</summary>
    Unknown,
}

/// <summary>This node's role for one resource and, for a follower, where the leader is.</summary>
/// <param name="LeaderOrigin">The leader's absolute origin, such as <c>https://10.0.0.2</c>; null when not known or when this node leads.</param>
public sealed record Role(LeadershipRole Kind, Uri? LeaderOrigin)
{
    public static readonly Role Leader = new(LeadershipRole.Leader, null);
    public static readonly Role Unknown = new(LeadershipRole.Unknown, null);

    public static Role FollowerOf(Uri? leader) => new(LeadershipRole.Follower, leader);

    public bool IsLeader => Kind == LeadershipRole.Leader;

    /// <summary>Whether <paramref name="text"/> is an origin: http or https, host, optional port, nothing else (RFC 6454).</summary>
    public static bool TryParseOrigin(string? text, out Uri? origin)
    {
        origin = null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")) return false;
        if (uri.UserInfo.Length > 0 || uri.PathAndQuery != "/" || uri.Fragment.Length > 0 || uri.Host.Length == 0) return false;
        origin = uri;
        return true;
    }
}
