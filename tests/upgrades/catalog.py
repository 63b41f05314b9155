"""Parts of a database by Postgres's own catalogs, so that two of them can be compared.

The order of columns is left out: two ways to the same table may differ in it, and nothing of ours depends on it.
"""

import re

from django.db import connection

# The objects of our schema that no extension brings along.
_OURS = (
    "NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '{catalog}'::regclass AND d.objid = {row}.oid"
    " AND d.deptype = 'e')"
)
_IN_SCHEMA = "JOIN pg_namespace n ON n.oid = {} AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_RIGHTS = "(SELECT array_agg(item::text ORDER BY item::text) FROM unnest({}) item)"

LISTINGS = {
    "schemas": f"SELECT nspname, {_RIGHTS.format('nspacl')} FROM pg_namespace WHERE nspname !~ '^pg_'",
    "extensions": "SELECT extname, extversion FROM pg_extension",
    "relations": f"""
        SELECT n.nspname, c.relname, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.reloptions,
               pg_get_userbyid(c.relowner), {_RIGHTS.format("c.relacl")}
        FROM pg_class c {_IN_SCHEMA.format("c.relnamespace")}""",
    "columns": f"""
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
               pg_get_expr(d.adbin, d.adrelid), a.attcollation::regcollation, a.attstorage, a.attcompression,
               a.attstattarget, a.attacl
        FROM pg_class c {_IN_SCHEMA.format("c.relnamespace")} JOIN pg_attribute a ON a.attrelid = c.oid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relkind IN ('r', 'v', 'm', 'p') AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraints": f"""
        SELECT o.conrelid::regclass, o.conname, o.contype, pg_get_constraintdef(o.oid), o.condeferrable, o.condeferred,
               o.convalidated
        FROM pg_constraint o {_IN_SCHEMA.format("o.connamespace")}""",
    "indexes": f"""
        SELECT pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisunique, i.indisprimary, i.indimmediate
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid {_IN_SCHEMA.format("c.relnamespace")}""",
    "sequences": f"""
        SELECT c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcache,
               s.seqcycle, d.deptype, d.refobjid::regclass, a.attname
        FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid {_IN_SCHEMA.format("c.relnamespace")}
        LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
        LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid""",
    "functions": f"""
        SELECT pg_get_functiondef(p.oid), pg_get_userbyid(p.proowner), {_RIGHTS.format("p.proacl")}
        FROM pg_proc p {_IN_SCHEMA.format("p.pronamespace")}
        WHERE {_OURS.format(catalog="pg_proc", row="p")}""",
    "triggers": "SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal",
    "policies": """
        SELECT polrelid::regclass, polname, polcmd, polpermissive, polroles::regrole[], pg_get_expr(polqual, polrelid),
               pg_get_expr(polwithcheck, polrelid)
        FROM pg_policy""",
    "types": f"""
        SELECT t.typname, t.typtype FROM pg_type t {_IN_SCHEMA.format("t.typnamespace")}
        WHERE {_OURS.format(catalog="pg_type", row="t")}""",
    "statistics": "SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext",
    "rules": f"""
        SELECT pg_get_ruledef(r.oid) FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
        {_IN_SCHEMA.format("c.relnamespace")}""",
    "default rights": "SELECT defaclrole::regrole, defaclobjtype, defaclacl::text FROM pg_default_acl",
    "comments": """
        SELECT o.type, o.identity, d.description
        FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) o
        WHERE o.schema IS DISTINCT FROM 'pg_catalog' AND o.schema IS DISTINCT FROM 'information_schema'
          AND d.objoid >= 16384""",
}


def listing() -> dict[str, set[str]]:
    """Return what is in the database that Django points at: by kind of object, one text for each."""
    with connection.cursor() as cursor:
        found = {}
        for kind, question in LISTINGS.items():
            cursor.execute(question)
            found[kind] = {_spelled_alike("  ".join(map(str, row))) for row in cursor.fetchall()}
        return found


def _spelled_alike(text: str) -> str:
    """Return the text with `IN` of several words as a restored dump spells it: cast one by one, not as an array."""
    text = re.sub(r"\((ARRAY\[[^]]*\])\)::text\[\]", r"\1", text)
    return re.sub(r"\(('[^']*'::character varying)\)::text", r"\1", text)
