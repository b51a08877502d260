"""The examples of answers in the API's documentation: what the project's sample data give, where they can."""

UPLOAD_ID = "1220f1ab-c57b-51b8-bba7-542cbec4d507"
"""The id of the sample stats as `adledger up --sample-data` sends them, so that the examples can be tried."""

CAMPAIGNS = [
    {
        "campaign_id": 30517264981,
        "campaign_name": "Tents and Sleeping",
        "campaign_type": "SEARCH_STANDARD",
        "num_ad_groups": 5,
        "ad_group_names": ["Family Tents", "Hammocks", "Inflatable Mats", "Sleeping Bags", "Trekking Tents"],
        "average_monthly_cost": 642.360139,
        "average_cost_per_conversion": 12.878615,
    },
    {
        "campaign_id": None,
        "campaign_name": "Unattributed",
        "campaign_type": None,
        "num_ad_groups": 1,
        "ad_group_names": ["415093827640"],
        "average_monthly_cost": 7.5,
        "average_cost_per_conversion": None,
    },
]

SERIES = [
    {
        "date": "2025-02-01",
        "campaign_id": 30517264981,
        "campaign_name": "Tents and Sleeping",
        "total_cost": 363.549452,
        "total_clicks": 580,
        "total_conversions": 28.62527,
        "total_impressions": 8048,
        "avg_cost_per_click": 0.626809,
        "avg_cost_per_conversion": 12.700298,
        "avg_click_through_rate": 0.072068,
        "avg_conversion_rate": 0.049354,
    },
]

COMPARISON = {
    "before_period": {
        "total_cost": 693.669442,
        "total_clicks": 1381,
        "total_conversions": 50.11759,
        "total_impressions": 72167,
        "cost_per_click": 0.502295,
        "cost_per_conversion": 13.840838,
        "cost_per_impression": 0.009612,
        "click_through_rate": 0.019136,
        "conversion_rate": 0.036291,
        "start_date": "2025-01-01",
        "end_date": "2025-01-31",
    },
    "current_period": {
        "total_cost": 675.154604,
        "total_clicks": 1305,
        "total_conversions": 55.452719,
        "total_impressions": 64786,
        "cost_per_click": 0.51736,
        "cost_per_conversion": 12.17532,
        "cost_per_impression": 0.010421,
        "click_through_rate": 0.020143,
        "conversion_rate": 0.042493,
        "start_date": "2025-02-01",
        "end_date": "2025-02-28",
    },
    "change_in_percentage": {
        "total_cost": -2.669115,
        "total_clicks": -5.503259,
        "total_conversions": 10.645223,
        "total_impressions": -10.227666,
        "cost_per_click": 2.999197,
        "cost_per_conversion": -12.03336,
        "cost_per_impression": 8.419689,
        "click_through_rate": 5.262655,
        "conversion_rate": 17.088929,
    },
}

UPLOAD = {
    "id": UPLOAD_ID,
    "kind": "ad_group_stats",
    "mode": "upsert",
    "filename": "ad_group_stats.csv",
    "state": "applied",
    "rows_read": 13655,
    "rows_accepted": 13419,
    "rows_merged": 228,
    "rows_rejected": 8,
    "keys_new": 13419,
    "keys_changed": 0,
    "received_at": "2026-01-31T09:15:00.000001Z",
    "applied_at": "2026-01-31T09:15:00.412345Z",
    "reverted_at": None,
    "reason": None,
    "batches": 3,
    "batches_seen": 3,
    "attempts": 1,
    "sender": "127.0.0.1",
    "currency": None,
    "fixes": None,
    "compacted": False,
}

UPLOAD_DETAIL = UPLOAD | {"fixed_by": None, "report": None}

REJECTIONS = [
    {"line": 1638, "column": "clicks", "value": "-3", "reason": "is negative"},
    {
        "line": 4974,
        "column": None,
        "value": "2025-08-24,415093827640,TABLET,32,1,0",
        "reason": "has 6 fields, the header has 7",
    },
]

REJECTIONS_CSV = """\
line,column,value,reason
1638,clicks,-3,is negative
4974,,"2025-08-24,415093827640,TABLET,32,1,0","has 6 fields, the header has 7"
"""
